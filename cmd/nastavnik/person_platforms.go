package main

// chatsElsewhere reports whether people write on chat platforms, and not in terminals.
func (a *app) chatsElsewhere() bool { return false }

// invitationLink is what somebody opens to accept an invitation; "" where there is no
// platform whose links begin a talk.
func (a *app) invitationLink(string) string { return "" }
