#!/bin/sh
# shim.sh HOST TOOLSET WORK: the JNI library that the runtime's Java classes load, in WORK/native.
set -eu
host=$1 toolset=$2 work=$3
java_home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
mkdir -p "$work/native"
cp "$toolset/native/libjnitensorflowlite.so" "$work/native/"
gcc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -shared -fPIC \
    -isystem "$java_home/include" -isystem "$java_home/include/linux" \
    -isystem "$toolset/include" -isystem "$host/jni/compat" \
    "$host/jni/tflite_jni.c" -o "$work/native/libtensorflowlite_jni.so" \
    -L"$work/native" -ljnitensorflowlite -Wl,-z,defs -Wl,-rpath,'$ORIGIN'
