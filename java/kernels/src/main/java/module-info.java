/** Tern's kernels: the interface, its Java reference, and the native library behind it. */
module dev.tern.kernels {
    requires static org.jspecify;

    exports dev.tern.kernels;
}
