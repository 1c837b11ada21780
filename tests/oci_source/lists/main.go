// A registry that keeps lists of what refers to a manifest, and says so (`OCI-Subject`): go-containerregistry's, with the header that it
// does not send. The first argument is the address that it listens at. Each request is a line of its output.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// answer remembers its status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// subject is what a manifest refers to.
func subject(manifest []byte) string {
	var read struct {
		Subject *struct {
			Digest string `json:"digest"`
		} `json:"subject"`
	}
	if json.Unmarshal(manifest, &read) != nil || read.Subject == nil {
		return ""
	}
	return read.Subject.Digest
}

func main() {
	inner := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPut && strings.Contains(request.URL.Path, "/manifests/") {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				http.Error(writer, err.Error(), http.StatusBadRequest)
				return
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			if digest := subject(body); digest != "" {
				writer.Header().Set("OCI-Subject", digest)
			}
		}
		writer.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		answered := &answer{writer, http.StatusOK}
		inner.ServeHTTP(answered, request)
		fmt.Println(request.Method, request.URL.Path, answered.status)
	})
	log.Fatal(http.ListenAndServe(os.Args[1], handler))
}
