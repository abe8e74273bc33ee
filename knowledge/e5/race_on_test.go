//go:build race

package e5

// raceDetector says that the tests are built with -race.
const raceDetector = true
