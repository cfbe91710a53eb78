package dev.tern.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PartTest {
    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text.replace('\'', '"'));
    }

    private static Part call(String name, String schema) {
        return new Part.Sequence(List.of(
                new Part.Text("<" + name + ">"), new Part.Json(json(schema)), new Part.Text("</" + name + ">")));
    }

    @Test
    void literalsAndJsonFollowEachOther() {
        Part one = new Part.OneOf(List.of(
                call("a", "{'$ref': '#/$defs/x', '$defs': {'x': {'type': 'integer'}}}"),
                call("b", "{'$ref': '#/$defs/x', '$defs': {'x': {'type': 'boolean'}}}")));
        Grammar grammar = Grammar.of(new Part.Sequence(
                List.of(new Part.Text("["), new Part.Repeated(one, ", "), new Part.Text("]"))));
        assertThat(List.of("[<a>1</a>]", "[<b>true</b>]", "[<a>-7</a>, <b>false</b>, <a>0</a>]"))
                .allMatch(grammar::matches);
        assertThat(List.of("", "[]", "[<a>true</a>]", "[<b>1</b>]", "[<a>1</a>,<a>1</a>]", "[<a>1</a>, ]", "[<a>1</b>]"))
                .noneMatch(grammar::matches);
    }

    @Test
    void theyMayHoldBehindATrigger() {
        Grammar grammar = Grammar.of(call("a", "{'type': 'null'}")).after("!");
        assertThat(List.of("anything", "well!<a>null</a>")).allMatch(grammar::matches);
        assertThat(List.of("well!", "well!<a>1</a>")).noneMatch(grammar::matches);
    }

    @Test
    void aSchemaThatCannotBeFollowedIsRefused() {
        assertThatThrownBy(() -> Grammar.of(call("a", "{'not': {}}")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("not");
    }
}
