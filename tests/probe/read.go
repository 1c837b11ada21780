// Reads what `chart-publisher probe` prints, by the strict readers of Go's standard library: the JSON with no field that
// docs/probe.md does not know, the JUnit as CI systems read it. Prints what it counted.
package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
)

type finding struct{ Reason, Remedy, Message string }

type attempt struct{ Route, Address, Method, Tactic, Reason, Message string }

type cell struct {
	Action, Method, Protocol, Result, Reason, Remedy, Message string
	Bytes                                                     uint64
	LatencySeconds, Seconds, BytesPerSecond                   float64
	Notes                                                     []finding
}

type report struct {
	Target, Repository string
	Holds              bool
	Required           []struct {
		What  string
		Holds bool
	}
	Auto struct {
		Route, Address, Method, Tactic, Message, Reason string
		Attempts                                        []attempt
	}
	Faults []struct {
		Reason, Remedy, Message string
		Routes                  []string
		Cells, Failed           int
	}
	Routes []struct {
		Route, Address, Origin, Via, Message string
		Cells                                []cell
	}
	LeftOut    []struct{ Route, Message string }
	Unseen     []string
	Removed    struct{ Blobs, Bytes uint64 }
	LeftBehind []struct {
		Kind, Repository, Digest, Message, Cure string
		Bytes                                   uint64
	}
	BytesSent uint64
	Seconds   float64
}

type junit struct {
	Suites []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string  `xml:"classname,attr"`
			Name    string  `xml:"name,attr"`
			Time    float64 `xml:"time,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Output string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func main() {
	file, problem := os.Open(os.Args[2])
	if problem != nil {
		panic(problem)
	}
	if os.Args[1] == "json" {
		decoder := json.NewDecoder(file)
		decoder.DisallowUnknownFields()
		var read report
		if problem := decoder.Decode(&read); problem != nil {
			panic(problem)
		}
		results := map[string]int{}
		for _, route := range read.Routes {
			for _, cell := range route.Cells {
				results[cell.Result]++
			}
		}
		fmt.Printf("pass %d fail %d n/a %d faults %d auto %s holds %t\n",
			results["pass"], results["fail"], results["n/a"], len(read.Faults), read.Auto.Method, read.Holds)
		return
	}
	var read junit
	if problem := xml.NewDecoder(file).Decode(&read); problem != nil {
		panic(problem)
	}
	for _, suite := range read.Suites {
		failed, skipped := 0, 0
		for _, one := range suite.Cases {
			if one.Failure != nil {
				failed++
				if one.Failure.Message == "" || one.Failure.Text == "" {
					panic(one.Name)
				}
			}
			if one.Skipped != nil {
				skipped++
			}
		}
		if len(suite.Cases) != suite.Tests || failed != suite.Failures || skipped != suite.Skipped {
			panic("the suite counts otherwise than its cases")
		}
		fmt.Printf("pass %d fail %d n/a %d\n", suite.Tests-failed-skipped, failed, skipped)
	}
}
