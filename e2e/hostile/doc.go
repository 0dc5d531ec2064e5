// Package hostile makes objects of someone who means harm: each is one that an API server
// takes, and of which a gateway without limits dies, stops for minutes or runs out of memory.
// They are for tests of the translation and of a real Kong.
package hostile
