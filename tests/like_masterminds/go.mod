module chartpublisher.io/tests/like_masterminds

go 1.24.0

// The version that the Helm of tests/tools/install.sh has; the test compares the two.
require github.com/Masterminds/semver/v3 v3.5.0
