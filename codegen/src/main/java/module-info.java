/** Model dimensions to kernel plans. */
module dev.tern.codegen {
    requires static org.jspecify;

    exports dev.tern.codegen;
}
