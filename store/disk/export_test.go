package disk

// Explain is what turns an error of the file system into one for people.
var Explain = explain
