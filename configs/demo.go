package configs

import _ "embed"

// DemoKB is the knowledge base of the demonstration, as a JSONL file to import:
// an invented CRM, «Орбита».
//
//go:embed demo/kb.jsonl
var DemoKB []byte

// DemoFAQ returns the ids of DemoKB that the demonstration shows as frequent.
func DemoFAQ() []string {
	return []string{"deal-owner", "access-password-forgot", "vacation-request", "first-week", "import-clients"}
}
