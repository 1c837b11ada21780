// Answers with Helm's own library, one line of JSON for each line of standard input. With a folder as argument: prints the strings of
// the tables in its tests instead, one row a line.
package main

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strconv"

	"github.com/Masterminds/semver/v3"
)

// One of the three.
type question struct {
	Constraint *string  `json:"constraint"`
	Version    string   `json:"version"`
	Compare    []string `json:"compare"`
	Sort       []string `json:"sort"`
}

// Nothing where there is nothing to say: no constraint, no version.
type answer struct {
	Read       bool     `json:"read"`
	Version    bool     `json:"version"`
	Strict     bool     `json:"strict"`
	IfNamed    bool     `json:"ifNamed"`
	Always     bool     `json:"always"`
	Order      int      `json:"order"`
	Sorted     []string `json:"sorted,omitempty"`
	IsSorted   bool     `json:"isSorted"`
	Comparable bool     `json:"comparable"`
}

// Newest first, as in the index of a Helm repository.
type versions []*semver.Version

func (all versions) Len() int           { return len(all) }
func (all versions) Swap(i, j int)      { all[i], all[j] = all[j], all[i] }
func (all versions) Less(i, j int) bool { return all[i].LessThan(all[j]) }

func check(constraint, text string) (said answer) {
	read, problem := semver.NewConstraint(constraint)
	said.Read = problem == nil
	version, problem := semver.NewVersion(text)
	said.Version = problem == nil
	_, problem = semver.StrictNewVersion(text)
	said.Strict = problem == nil
	if said.Read && said.Version {
		said.IfNamed = read.Check(version)
		read.IncludePrerelease = true
		said.Always = read.Check(version)
	}
	return said
}

func compare(one, other string) (said answer) {
	first, problem := semver.NewVersion(one)
	if problem != nil {
		return said
	}
	second, problem := semver.NewVersion(other)
	if problem != nil {
		return said
	}
	return answer{Comparable: true, Order: first.Compare(second)}
}

func sorted(texts []string) (said answer) {
	var all versions
	for _, text := range texts {
		version, problem := semver.NewVersion(text)
		if problem != nil {
			panic(problem)
		}
		all = append(all, version)
	}
	said.IsSorted = sort.IsSorted(sort.Reverse(all))
	sort.Sort(sort.Reverse(all))
	for _, version := range all {
		said.Sorted = append(said.Sorted, version.Original())
	}
	return said
}

// rows prints the strings of each composite literal, and of each call, in the tests of a folder.
func rows(folder string, write func(any)) {
	files, problem := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if problem != nil {
		panic(problem)
	}
	for _, name := range files {
		file, problem := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if problem != nil {
			panic(problem)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			var items []ast.Expr
			switch node := node.(type) {
			case *ast.CompositeLit:
				items = node.Elts
			case *ast.CallExpr:
				items = node.Args
			}
			if row := strings(items); len(row) > 0 {
				write(row)
			}
			return true
		})
	}
}

func strings(items []ast.Expr) (found []string) {
	for _, item := range items {
		if pair, is := item.(*ast.KeyValueExpr); is {
			found = append(found, strings([]ast.Expr{pair.Key, pair.Value})...)
		}
		if literal, is := item.(*ast.BasicLit); is && literal.Kind == token.STRING {
			text, problem := strconv.Unquote(literal.Value)
			if problem != nil {
				panic(problem)
			}
			found = append(found, text)
		}
	}
	return found
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	write := func(value any) {
		if problem := encoder.Encode(value); problem != nil {
			panic(problem)
		}
	}
	if len(os.Args) > 1 {
		rows(os.Args[1], write)
		return
	}
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	for decoder.More() {
		var asked question
		if problem := decoder.Decode(&asked); problem != nil {
			panic(problem)
		}
		switch {
		case asked.Constraint != nil:
			write(check(*asked.Constraint, asked.Version))
		case len(asked.Compare) == 2:
			write(compare(asked.Compare[0], asked.Compare[1]))
		default:
			write(sorted(asked.Sort))
		}
	}
}
