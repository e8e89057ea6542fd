"""What README.md, docs/ and the other READMEs say, run as it is written there."""
