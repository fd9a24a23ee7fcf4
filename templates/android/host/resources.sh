#!/bin/sh
# resources.sh TOOLSET WORK, in the project's folder: checks the app's manifest and resources, and makes its R class
# in WORK/classes/r. The Gradle plugin adds the package and the API levels to the manifest; so does this.
set -eu
toolset=$1 work=$2
value() { sed -n "s/^ *$1 = \"\(.*\)\"$/\1/p" "$2"; }
package=$(value namespace app/build.gradle.kts)
minimum=$(value android-minSdk gradle/libs.versions.toml)
target=$(value android-targetSdk gradle/libs.versions.toml)
mkdir -p "$work/resources" "$work/classes/r"
sed "s/<manifest /<manifest package=\"$package\" /" app/src/main/AndroidManifest.xml > "$work/resources/AndroidManifest.xml"
aapt2 compile --dir app/src/main/res -o "$work/resources/compiled.zip"
aapt2 link -o "$work/resources/resources.apk" -I "$toolset/lib/android.jar" \
    --manifest "$work/resources/AndroidManifest.xml" -A app/src/main/assets \
    --min-sdk-version "$minimum" --target-sdk-version "$target" \
    --java "$work/resources/java" "$work/resources/compiled.zip"
find "$work/resources/java" -name '*.java' -exec javac --release 11 -d "$work/classes/r" {} +
