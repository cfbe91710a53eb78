package dev.tern.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What decides which native library is used: environment, platform, and the jar's resources. A record so that tests can
 * put together any machine they like.
 *
 * @param environment of which {@code TERN_NATIVE}, {@code TERN_LIBRARY}, {@code TERN_MAX_TIER}, {@code TERN_CACHE},
 *     {@code XDG_CACHE_HOME} and {@code HOME} are read
 * @param osName {@code os.name}
 * @param osArch {@code os.arch}
 * @param home {@code user.home}, which counts where {@code HOME} is not set
 * @param resources where the packed library is read from
 */
record NativeSetting(Map<String, String> environment, String osName, String osArch, Path home, Resources resources) {

    /** Opens resources by their full name; null when there is none. */
    interface Resources {
        @Nullable InputStream open(String name) throws IOException;
    }

    static NativeSetting ofThisProcess() {
        return new NativeSetting(
                System.getenv(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                Path.of(System.getProperty("user.home")),
                name -> NativeSetting.class.getModule().getResourceAsStream(name));
    }

    /** A variable that is set to more than the empty string. */
    Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isEmpty());
    }

    /** The platform as the packed libraries are named by it: {@code linux-x86_64}. */
    String platform() {
        String os = osName.startsWith("Mac") ? "macos" : osName.toLowerCase(Locale.ROOT).split(" ")[0];
        String arch = switch (osArch) {
            case "amd64", "x86_64" -> "x86_64";
            case "arm64", "aarch64" -> "aarch64";
            default -> osArch;
        };
        return os + "-" + arch;
    }

    /** The file name of a shared library on this platform. */
    String libraryName() {
        return platform().startsWith("macos") ? "libtern.dylib" : "libtern.so";
    }

    /**
     * Tern's folder for what can be made again: {@code $TERN_CACHE}, {@code $XDG_CACHE_HOME/tern} (which counts when it
     * is absolute, says the XDG specification) or {@code ~/.cache/tern}.
     *
     * @throws KernelUnavailableException when the user has no home and set none of the variables
     */
    Path cache() {
        Optional<String> own = variable("TERN_CACHE");
        if (own.isPresent()) {
            return Path.of(own.get()).toAbsolutePath();
        }
        Path caches = absolute("XDG_CACHE_HOME").orElseGet(() -> absolute("HOME").orElse(home).resolve(".cache"));
        if (!caches.isAbsolute()) { // "?" stands for the home of a user without an account, as in many containers
            throw new KernelUnavailableException("there is no home folder to unpack the native library in (HOME is not "
                    + "set, user.home is \"" + home + "\"); set TERN_CACHE to a folder you can write to");
        }
        return caches.resolve("tern");
    }

    private Optional<Path> absolute(String variable) {
        return variable(variable).map(Path::of).filter(Path::isAbsolute);
    }
}
