package dev.tern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Which Tern this is. */
record Build(String version, String commit) {

    /** As Maven wrote it into {@code build.properties}. */
    static Build current() {
        Properties properties = new Properties();
        try (InputStream in = Build.class.getResourceAsStream("build.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Build(properties.getProperty("version"), properties.getProperty("commit"));
    }

    /** For {@code --version}. */
    static final class Provider implements IVersionProvider {
        @Override
        public String[] getVersion() {
            Build build = current();
            return new String[] {
                "tern " + build.version() + (build.commit().isEmpty() ? "" : " (" + build.commit() + ")"),
                "Java " + Runtime.version() + " at " + System.getProperty("java.home")
            };
        }
    }
}
