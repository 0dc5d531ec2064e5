package expression

// Parse parses an expression like Kong 3.9, including the precedence of operators (|| binds
// tighter than &&), the types of fields and the syntax of regexes. It accepts fields that only
// HTTP has: see ValidateStream. The error is a *SyntaxError.
//
// Parse(e.String()) equals e for every e that passes Validate. For every string that parses,
// printing and parsing again changes nothing.
func Parse(src string) (Expr, error) {
	if at, ok := readable(src); !ok {
		return nil, &SyntaxError{Offset: at, Reason: "expected UTF-8"}
	}
	p := parser{scanner: scanner{src: src}}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, p.expected("&&, || or the end")
	}
	return e, nil
}

type parser struct {
	scanner
	depth int
}

// expression parses terms joined by && and ||: a conjunction of disjunctions.
func (p *parser) expression() (Expr, error) {
	var all, anyOf []Expr
	for {
		term, err := p.term()
		if err != nil {
			return nil, err
		}
		anyOf = append(anyOf, term)
		p.space()
		if p.accept("||") {
			continue
		}
		all = append(all, Or(anyOf...))
		anyOf = anyOf[:0]
		if !p.accept("&&") {
			return And(all...), nil
		}
	}
}

// term parses a predicate, or an expression in parentheses, which may be negated.
func (p *parser) term() (Expr, error) {
	p.space()
	start := p.pos
	negated := p.accept("!")
	p.space()
	if !p.accept("(") {
		if negated {
			return nil, p.expected("( after !")
		}
		return p.predicate()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.failf(start, "nested deeper than %d", maxDepth)
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	p.depth--
	if !p.accept(")") {
		return nil, p.expected("&&, || or )")
	}
	if negated {
		return Not(e), nil
	}
	return e, nil
}

func (p *parser) predicate() (Expr, error) {
	start := p.pos
	f, kind, err := p.field()
	if err != nil {
		return nil, err
	}
	p.space()
	o, err := p.operator()
	if err != nil {
		return nil, err
	}
	p.space()
	at := p.pos
	lit, err := p.literal()
	if err != nil {
		return nil, err
	}
	if err := p.checkTypes(kind, o, lit, start, at); err != nil {
		return nil, err
	}
	return p.build(f, o, lit, at)
}

// field parses a field with its transformations and looks up its type.
func (p *parser) field() (Field, kind, error) {
	start := p.pos
	name := p.ident()
	if name == "" {
		return Field{}, kindUnknown, p.expected("a field, a transformation, ! or (")
	}
	end := p.pos
	p.space()
	if p.accept("(") {
		return p.transformation(start, name)
	}
	p.pos = end
	k, err := fieldKind(name)
	if err != nil {
		return Field{}, kindUnknown, p.failf(start, "%s", err)
	}
	return Field{name: name}, k, nil
}

func (p *parser) transformation(start int, name string) (Field, kind, error) {
	if name != "lower" && name != "any" {
		return Field{}, kindUnknown, p.failf(start, "expected lower or any, not %q", name)
	}
	if p.depth++; p.depth > maxDepth {
		return Field{}, kindUnknown, p.failf(start, "nested deeper than %d", maxDepth)
	}
	p.space()
	f, k, err := p.field()
	if err != nil {
		return Field{}, kindUnknown, err
	}
	p.depth--
	p.space()
	if !p.accept(")") {
		return Field{}, kindUnknown, p.expected(")")
	}
	if name == "any" {
		return Any(f), k, nil
	}
	if k != kindString {
		return Field{}, kindUnknown, p.failf(start, "lower needs a string, and %s is %s", f.name, k)
	}
	return Lower(f), k, nil
}

// checkTypes is Kong's semantic check of a well-formed predicate.
func (p *parser) checkTypes(field kind, o op, lit literal, start, at int) error {
	needField, needLit := field, field
	switch o {
	case opMatch, opPrefix, opSuffix, opContains:
		needField, needLit = kindString, kindString
	case opGreater, opGreaterOrEqual, opLess, opLessOrEqual:
		needField, needLit = kindInt, kindInt
	case opIn, opNotIn:
		needField, needLit = kindIP, kindCIDR
	}
	if field != needField {
		return p.failf(start, "operator %s needs a field that is %s, not %s", opText[o], needField, field)
	}
	if lit.kind != needLit {
		return p.failf(at, "expected %s, not %s", needLit, lit.kind)
	}
	return nil
}

func (p *parser) build(f Field, o op, lit literal, at int) (Expr, error) {
	switch lit.kind {
	case kindInt:
		return &intPredicate{IntField{f.name, f.any}, o, lit.n}, nil
	case kindIP, kindCIDR:
		return &ipPredicate{IPField{f.name, f.any}, o, lit.addr, lit.block}, nil
	}
	compiled := 0
	if o == opMatch {
		var err error
		if compiled, err = compiledSize(lit.text); err != nil {
			return nil, p.failf(at, "%s", err)
		}
	}
	return &textPredicate{f, o, lit.text, compiled}, nil
}
