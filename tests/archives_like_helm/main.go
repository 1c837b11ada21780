// Reads archives as Helm does: for each path on standard input one line of JSON says what its loader makes of it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2/loader"
)

type answer struct {
	Error   string   `json:"error"`
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Files   []string `json:"files"`
}

func main() {
	paths := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for paths.Scan() {
		data, err := os.ReadFile(paths.Text())
		if err != nil {
			panic(err)
		}
		if err := answers.Encode(read(data)); err != nil {
			panic(err)
		}
	}
	if err := paths.Err(); err != nil {
		panic(err)
	}
}

// As `helm push` does: the whole chart is loaded and validated; its files are those of the archive.
func read(data []byte) (answer answer) {
	defer func() {
		if problem := recover(); problem != nil {
			answer.Error = "panic"
		}
	}()
	loaded, err := chart.LoadArchive(bytes.NewReader(data))
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	files, err := archive.LoadArchiveFiles(bytes.NewReader(data))
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Name, answer.Version = loaded.Metadata.Name, loaded.Metadata.Version
	for _, file := range files {
		answer.Files = append(answer.Files, file.Name)
	}
	return answer
}
