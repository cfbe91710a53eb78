package dev.tern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Brings the class files of libraries to a version that an ahead-of-time cache can hold. The launcher runs it over the
 * jars of a build, before it makes the cache.
 *
 * <p>A class file older than version 50 (Java 6) has no {@code StackMapTable}; the JVM checks it by inference, keeps
 * nothing of that, and leaves the class out of the cache (JDK 25: "Old class has been linked"). picocli is compiled for
 * Java 5. Here such classes get the stack maps of their own code and version 52 (Java 8), as javac would have given
 * them; nothing else of them changes (The Java Virtual Machine Specification, 4.1 and 4.10). A class that does not
 * verify afterwards stays as it is.
 */
final class ClassFileUpdate {
    private static final int OLD = ClassFile.JAVA_6_VERSION;
    private static final int NEW = ClassFile.JAVA_8_VERSION;

    /** Where a class file has its major version, big-endian. */
    private static final int MAJOR_VERSION = 6;

    private ClassFileUpdate() {}

    /** Updates every jar in the folder named; jars without old classes are not touched. */
    public static void main(String[] args) throws IOException {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(args[0]), "*.jar")) {
            for (Path jar : jars) {
                update(jar);
            }
        }
    }

    /**
     * Updates one jar in place, atomically; returns how many of its classes changed. Signed ones, and what is no jar,
     * stay.
     */
    static int update(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            List<? extends ZipEntry> entries = Collections.list(zip.entries());
            boolean signed = entries.stream().anyMatch(entry -> entry.getName().matches("META-INF/[^/]+\\.SF"));
            if (signed || !anyOld(zip, entries)) {
                return 0;
            }
            Path updated = Files.createTempFile(jar.toAbsolutePath().getParent(), "updating-", ".tmp");
            try {
                Files.copy(jar, updated, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
                int changed = write(zip, entries, updated);
                Files.move(updated, jar, StandardCopyOption.ATOMIC_MOVE);
                return changed;
            } finally {
                Files.deleteIfExists(updated);
            }
        } catch (ZipException e) {
            return 0;
        }
    }

    private static boolean anyOld(ZipFile zip, List<? extends ZipEntry> entries) throws IOException {
        for (ZipEntry entry : entries) {
            if (entry.getName().endsWith(".class")) {
                try (InputStream in = zip.getInputStream(entry)) {
                    if (isOld(in.readNBytes(MAJOR_VERSION + 2))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private static boolean isOld(byte[] start) {
        return start.length >= MAJOR_VERSION + 2
                && ((start[MAJOR_VERSION] & 0xFF) << 8 | start[MAJOR_VERSION + 1] & 0xFF) < OLD;
    }

    private static int write(ZipFile zip, List<? extends ZipEntry> entries, Path to) throws IOException {
        ClassFile classes = classes(zip);
        int changed = 0;
        try (OutputStream file = Files.newOutputStream(to);
                ZipOutputStream out = new ZipOutputStream(file)) {
            for (ZipEntry entry : entries) {
                byte[] bytes;
                try (InputStream in = zip.getInputStream(entry)) {
                    bytes = in.readAllBytes();
                }
                if (entry.getName().endsWith(".class") && isOld(bytes)) {
                    byte[] now = updated(classes, bytes);
                    changed += now == bytes ? 0 : 1;
                    bytes = now;
                }
                ZipEntry copy = new ZipEntry(entry.getName());
                copy.setTimeLocal(entry.getTimeLocal());
                out.putNextEntry(copy);
                out.write(bytes);
                out.closeEntry();
            }
        }
        return changed;
    }

    /**
     * Stack maps name the common superclass of what two branches leave behind: of the jar's classes, and of the JDK's.
     */
    private static ClassFile classes(ZipFile zip) {
        ClassHierarchyResolver ofJar = ClassHierarchyResolver.ofResourceParsing(name -> {
            ZipEntry entry = zip.getEntry(name.packageName().isEmpty()
                    ? name.displayName() + ".class"
                    : name.packageName().replace('.', '/') + "/" + name.displayName() + ".class");
            try {
                return entry == null ? null : zip.getInputStream(entry);
            } catch (IOException e) {
                return null;
            }
        });
        return ClassFile.of(
                StackMapsOption.GENERATE_STACK_MAPS,
                ClassHierarchyResolverOption.of(ofJar.orElse(ClassHierarchyResolver.defaultResolver()).cached()));
    }

    private static byte[] updated(ClassFile classes, byte[] bytes) {
        ClassTransform version = (builder, element) -> {
            if (element instanceof ClassFileVersion) {
                builder.withVersion(NEW, 0);
            } else {
                builder.with(element);
            }
        };
        try {
            // Code that is copied as it stands gets no stack maps; passed through a builder it does.
            byte[] now = classes.transformClass(
                    classes.parse(bytes),
                    ClassTransform.transformingMethodBodies((code, element) -> code.with(element)).andThen(version));
            return classes.verify(now).isEmpty() ? now : bytes;
        } catch (IllegalArgumentException e) {
            return bytes; // jsr and ret, of which there are no stack maps
        }
    }
}
