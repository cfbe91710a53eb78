/** The tern command. */
module dev.tern.cli {
    requires dev.tern.codegen;
    requires dev.tern.core;
    requires dev.tern.kernels;
    requires dev.tern.measure;
    requires dev.tern.server;
    requires info.picocli;
    requires java.management; // flags of this process, for another one like it
    requires me.tongfei.progressbar;
    requires jdk.unsupported; // sun.misc.Signal, for Ctrl-C in a chat
    requires org.jline.reader; // loaded by a chat on a terminal alone
    requires tools.jackson.databind;
    requires static org.jspecify;

    opens dev.tern.cli to
            info.picocli;
}
