// Package output prints the results of commands: as a page for people, or as JSON or YAML for
// programs.
//
// A result is plain data, and JSON and YAML print all of it. The page shows the same data in lines
// and tables. It has colors only on a terminal, and only if NO_COLOR is not set. Values of objects
// can neither start a new line nor control the terminal.
package output
