package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ClassFileUpdateTest {
    @TempDir
    Path folder;

    @Test
    void classesOfJava5BecomeClassesThatAnAheadOfTimeCacheHoldsAndDoTheSame() throws Exception {
        Path jar = Files.copy(picocli(), folder.resolve("picocli.jar"));
        Map<String, byte[]> before = entries(jar);

        int changed = ClassFileUpdate.update(jar);

        Map<String, byte[]> after = entries(jar);
        assertThat(changed).isGreaterThan(200);
        assertThat(after.keySet()).isEqualTo(before.keySet());
        before.forEach((name, bytes) -> {
            if (!name.endsWith(".class") || ClassFile.of().parse(bytes).majorVersion() >= ClassFile.JAVA_6_VERSION) {
                assertThat(after.get(name)).as(name).isEqualTo(bytes);
            } else {
                ClassModel now = ClassFile.of().parse(after.get(name));
                assertThat(now.majorVersion()).as(name).isEqualTo(ClassFile.JAVA_8_VERSION);
                assertThat(ClassFile.of().verify(now)).as(name).isEmpty();
                assertThat(annotations(now)).as(name).isEqualTo(annotations(ClassFile.of().parse(bytes)));
            }
        });
        assertThat(help(jar)).isEqualTo(help(picocli()));
        assertThat(ClassFileUpdate.update(jar)).as("a second time").isZero();
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(jar);
        }
    }

    @Test
    void whatIsNoJarOrHasNoOldClassesStays() throws Exception {
        Path text = Files.writeString(folder.resolve("a.jar"), "jar");
        ClassFileUpdate.main(new String[] {folder.toString()});
        assertThat(text).hasContent("jar");
    }

    private static Path picocli() throws Exception {
        return Path.of(CommandLine.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    private static List<String> annotations(ClassModel model) {
        List<String> all = new ArrayList<>();
        model.findAttribute(Attributes.runtimeVisibleAnnotations()).ifPresent(a -> all.add(a.annotations().toString()));
        model.fields().forEach(field -> field.findAttribute(Attributes.runtimeVisibleAnnotations())
                .ifPresent(a -> all.add(field.fieldName() + ": " + a.annotations())));
        return all;
    }

    /** The JVM verifies the classes when it links them; what they print comes from their annotations and their code. */
    private static String help(Path jar) throws Exception {
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
            Class<?> line = loader.loadClass("picocli.CommandLine");
            assertThat(line).isNotSameAs(CommandLine.class);
            Class<?> completion = loader.loadClass("picocli.AutoComplete$App");
            var constructor = completion.getDeclaredConstructor();
            constructor.setAccessible(true);
            Object command = line.getConstructor(Object.class).newInstance(constructor.newInstance());
            return (String) line.getMethod("getUsageMessage").invoke(command);
        }
    }

    private static Map<String, byte[]> entries(Path jar) throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                all.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
        return all;
    }
}
