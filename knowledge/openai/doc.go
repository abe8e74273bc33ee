// Package openai embeds texts with a server that speaks OpenAI's /v1/embeddings:
// OpenAI itself, or one of the many servers in a company's own network that are
// compatible with it. Nothing that the server says is believed unchecked: how many
// vectors it gives, how long they are, and which model made them. Neither the key
// nor a person's words get into an error or a log, whatever the server echoes.
package openai
