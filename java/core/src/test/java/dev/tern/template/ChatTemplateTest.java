package dev.tern.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Errors that say where, and templates that mean harm. */
class ChatTemplateTest {
    private static final Path TEMPLATES = Path.of(System.getProperty("tern.testdata")).resolve("templates");

    @Test
    void errorsSayWhereAndWhat() {
        refused("a\n  {% if x %}b", "the template ends where {% elif %} or {% else %} or {% endif %} is still to come");
        refused("a\n  {{ x | nope }}", "line 2, column 10: there is no filter 'nope'");
        refused("{{ 1 + }}", "line 1, column 8: expected an expression, found '}}'");
        refused("{{ a.b.c }}", "line 1, column 8: 'a' is undefined".replace("column 8", "column 6"));
        refused("{% for x in [1] %}\n{{ x.y.z }}{% endfor %}", "line 2, column 8: 'y' of an integer is undefined");
        refused("{{ messages[0].content + 1 }}", "'+' cannot take a string and an integer");
        refused("{% set x.y = 1 %}", "only a namespace's attributes can be set");
        refused("{{ raise_exception('No system role, please') }}", "the template refuses: No system role, please");
        refused("a\n\t{{ x | nope }}\nb", "line 2, column 9: there is no filter 'nope' in this interpreter\n   {{ x | nope }}\n          ^");
        refused("x".repeat(500) + "{{ 1 + }}" + "y".repeat(500), "found '}}'\n  " + "x".repeat(43) + "{{ 1 + }}" + "y".repeat(48) + "\n  " + " ".repeat(50) + "^");
        refused("{% if x %}", "line 1, column 11: the template ends where");
        refused("{% include 'secrets' %}", "there is no statement 'include'");
    }

    @Test
    void aTemplateReachesNothingOutside() {
        for (String expression : List.of(
                "''.__class__.__mro__", "messages.append(1)", "messages[0].update({'role': 'x'})", "range.__globals__.os",
                "messages.getClass()", "messages.class.forName('x')", "dict.__init__()", "self._TemplateReference__context.x")) {
            refused("{{ " + expression + " }}", "chat template");
        }
    }

    @Test
    void oneTemplateServesManyThreads() {
        ChatTemplate template = ChatTemplate.parse(
                "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.content|int %}{% endfor %}{{ ns.n }}");
        assertThat(Stream.iterate(0, i -> i + 1).limit(2000).parallel().filter(i -> !template.render(
                        List.of(new ChatMessage("user", "" + i), new ChatMessage("user", "1")), false, Map.of())
                .equals("" + (i + 1))).toList()).isEmpty();
    }

    /** Each would take for ever, or all memory, or the stack. */
    @ParameterizedTest
    @ValueSource(strings = {
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ range(1000000000000)|length }}",
        "{{ 'a' * 1000000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(60) %}{% set ns.s = ns.s|replace('a', 'aaaaaaaaaa') %}{% endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(60) %}{% set ns.s = ns.s.join(['a', ns.s, ns.s]) %}{% endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s]|join %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=[], k=[]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.k = [ns.k, ns.k] %}{% endfor %}{{ ns.l == ns.k }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
        "{% macro a(n) %}{{ a(n + 1) }}{% endmacro %}{{ a(0) }}",
        "{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ 'a'|indent(1000000000) }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ [1]|batch(1000000000, 0)|list }}",
        "{{ {'a': 1}|tojson(indent=1000000000) }}",
        "{{ 9 ** 99999999 }}",
        "{% for i in range(100000000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}",
    })
    @Timeout(value = 5, unit = TimeUnit.MINUTES) // each ends by a limit, within seconds: a guard against hanging
    void harmIsLimited(String template) {
        refused(template, "chat template");
    }

    @Test
    void depthOfSyntaxIsLimited() {
        for (String template : List.of(
                "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
                "{{ " + "[".repeat(100_000) + "]".repeat(100_000) + " }}",
                "{{ " + "-".repeat(100_000) + "1 }}",
                "{{ " + "not ".repeat(100_000) + "1 }}",
                "{{ 1" + " if 1 else 1".repeat(100_000) + " }}",
                "{% if 1 %}".repeat(10_000) + "{% endif %}".repeat(10_000),
                "{% if 1 %}" + "{% elif 1 %}".repeat(100_000) + "{% endif %}")) {
            refused(template, "nested more than");
        }
        // Chains are parsed in a loop, but computed one inside the other.
        refused("{{ 1" + " + 1".repeat(200_000) + " }}", "nested too deeply");
        refused("{{ 'a'" + "|trim".repeat(200_000) + " }}", "nested too deeply");
    }

    /** Templates with a piece cut out, doubled or replaced: rendered or refused, never another exception. */
    @Test
    void damagedTemplatesAreRefusedInWords() throws IOException {
        List<String> sources;
        try (Stream<Path> files = Files.list(TEMPLATES)) {
            sources = files.filter(f -> f.toString().endsWith(".jinja")).sorted().map(ChatTemplateTest::text).toList();
        }
        assertThat(sources).hasSizeGreaterThan(8);
        String[] pieces = {"{%", "%}", "{{", "}}", "|", "(", ")", "[", "]", "'", "\"", ".", " in ", " is ", " not ", "{#", "-%}", ":", ",", "~", "*", "0", "none", "loop", "\n", "endif", "else"};
        List<ChatMessage> messages = List.of(new ChatMessage("system", "s"), new ChatMessage("user", "u"), new ChatMessage("assistant", "a"));
        SplittableRandom random = new SplittableRandom(11);
        int refused = 0;
        for (int i = 0; i < 6000; i++) {
            StringBuilder source = new StringBuilder(sources.get(random.nextInt(sources.size())));
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                int at = random.nextInt(source.length());
                int to = Math.min(source.length(), at + random.nextInt(8));
                switch (random.nextInt(3)) {
                    case 0 -> source.delete(at, to);
                    case 1 -> source.insert(at, source.substring(at, to));
                    default -> source.replace(at, to, pieces[random.nextInt(pieces.length)]);
                }
            }
            try {
                ChatTemplate.parse(source.toString()).render(messages, true, Map.of("bos_token", "<s>", "eos_token", "</s>"));
            } catch (InputException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(500, 5900);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void refused(String template, String inMessage) {
        assertThatThrownBy(() -> ChatTemplate.parse(template).render(List.of(new ChatMessage("user", "Hello")), true, Map.of()))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("chat template, line ")
                .hasMessageContaining(inMessage);
    }
}
