# Sourced by the scripts beside it: finds a JDK as ./tern does, and builds the benchmarks when their sources are newer.
# Sets root (the repository), jdk and jar.

# shellcheck source=../tern
source "${BASH_SOURCE[0]%/*}/../tern"

jar=$root/bench/target/benchmarks.jar

# Of the working tree, or of the repository given.
build_benchmarks() {
    local root=${1:-$root} jar started
    local home=$root/java/cli/target/tern current=$root/java/cli/target/tern/current
    jar=$root/bench/target/benchmarks.jar
    # As ./tern: a build without native kernels is good only for who asked for none.
    if [ -e "$jar" ] && { [ ! -e "$jar.without-native" ] || [ "${TERN_NATIVE:-}" = off ]; } &&
        ! has_newer_sources "$jar" java/measure bench/pom.xml bench/src; then
        return 0
    fi
    check_tools
    lock_build
    echo 'bench: building the benchmarks ...' >&2
    started=$home/bench-started
    : >"$started"
    if ! package_module bench; then
        rm -f "$jar"
        grep -v -e '^WARNING' -e '^\[INFO\]' "$home/build.log" | head -n 40 >&2
        die 70 "the build failed; all of its output is in $home/build.log"
    fi
    touch -r "$started" "$jar" # what changed while it was built is newer than it
    rm -f "$started" "$jar.without-native"
    [ "$native" = on ] || : >"$jar.without-native"
    unlock_build
}

jdk=''
find_jdk || explain_missing_jdk
