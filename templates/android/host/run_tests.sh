#!/bin/sh
# run_tests.sh MODULE CLASSES NATIVE CLASSPATH: runs all JUnit tests in CLASSES, as Gradle does in the module's folder.
set -eu
module=$1 classes=$2 native=$3 classpath=$4
tests=$(cd "$classes" && find . -name '*Test.class' | sed 's|^\./||; s|\.class$||' | tr / . | sort)
cd "$module"
# One name is one word: class names hold no spaces.
exec java -Xmx1g -Djava.library.path="$native" -cp "$classpath" org.junit.runner.JUnitCore $tests
