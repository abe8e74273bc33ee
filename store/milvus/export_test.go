package milvus

// WithoutAliases makes the index treat its server as one that has no aliases.
func (x *Index) WithoutAliases() { x.noAliases = true }
