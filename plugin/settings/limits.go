package settings

import (
	"errors"
	"strconv"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// limits returns the settings of the limits on what objects make.
func limits() []Setting {
	all := make([]Setting, len(limit.Table))
	for i, row := range limit.Table {
		all[i] = Setting{Name: row.Setting, Default: strconv.Itoa(row.Default), Doc: row.Doc, Type: Integer,
			set: func(s *Settings, value string) (err error) {
				*row.Field(&s.Limits), err = parseLimit(value)
				return err
			}}
	}
	return all
}

// parseLimit reads a limit; 0 stands for no limit.
func parseLimit(value string) (int, error) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0:
		return 0, errors.New("want a whole number, or 0 for no limit")
	case n == 0:
		return limit.Unlimited, nil
	}
	return n, nil
}
