package dev.tern.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The templates that Tern brings, and what is found out about templates. */
class NamedTemplateTest {
    private static final Map<String, String> SPECIAL = Map.of("bos_token", "<s>", "eos_token", "</s>");
    private static final List<ChatMessage> CHAT = List.of(
            new ChatMessage("system", "S"), new ChatMessage("user", "U"), new ChatMessage("assistant", "A"), new ChatMessage("user", "V"));

    @ParameterizedTest
    @CsvSource(textBlock = """
            bitnet,  '<s>System: S<|eot_id|>User: U<|eot_id|>Assistant: A<|eot_id|>User: V<|eot_id|>Assistant: '
            chatml,  '<|im_start|>system\\nS<|im_end|>\\n<|im_start|>user\\nU<|im_end|>\\n<|im_start|>assistant\\nA<|im_end|>\\n<|im_start|>user\\nV<|im_end|>\\n<|im_start|>assistant\\n'
            deepseek, '<s>S<｜User｜>U<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>V<｜Assistant｜>'
            falcon3, '<|system|>\\nS\\n<|user|>\\nU\\n<|assistant|>\\nA</s>\\n<|user|>\\nV\\n<|assistant|>\\n'
            gemma,   '<s><start_of_turn>user\\nS\\n\\nU<end_of_turn>\\n<start_of_turn>model\\nA<end_of_turn>\\n<start_of_turn>user\\nV<end_of_turn>\\n<start_of_turn>model\\n'
            llama2,  '<s>[INST] <<SYS>>\\nS\\n<</SYS>>\\n\\nU [/INST] A </s><s>[INST] V [/INST]'
            llama3,  '<s><|start_header_id|>system<|end_header_id|>\\n\\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\\n\\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\nA<|eot_id|><|start_header_id|>user<|end_header_id|>\\n\\nV<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\n'
            mistral, '<s>[INST] U[/INST] A</s>[INST] S\\n\\nV[/INST]'
            phi3,    '<|system|>\\nS<|end|>\\n<|user|>\\nU<|end|>\\n<|assistant|>\\nA<|end|>\\n<|user|>\\nV<|end|>\\n<|assistant|>\\n'
            qwen,    '<|im_start|>system\\nS<|im_end|>\\n<|im_start|>user\\nU<|im_end|>\\n<|im_start|>assistant\\nA<|im_end|>\\n<|im_start|>user\\nV<|im_end|>\\n<|im_start|>assistant\\n'
            vicuna,  '<s>S\\n\\nUSER: U\\nASSISTANT: A</s>\\nUSER: V\\nASSISTANT:'
            zephyr,  '<|system|>\\nS</s>\\n<|user|>\\nU</s>\\n<|assistant|>\\nA</s>\\n<|user|>\\nV</s>\\n<|assistant|>\\n'
            """)
    void eachRendersAChatAsItsModelsWereTaught(String name, String expected) {
        assertThat(NamedTemplate.read(name).render(CHAT, true, SPECIAL)).isEqualTo(expected.replace("\\n", "\n"));
    }

    /** System, tools, calls, several calls, answers; arguments as objects; content as text, parts, null. */
    @ParameterizedTest
    @CsvSource(textBlock = """
            bitnet,   's',        false, '<|eot_id|>'
            chatml,   's',        false, '<|im_end|>'
            deepseek, 's t c p r', true, '<｜end▁of▁sentence｜>'
            falcon3,  's',        false, '</s>'
            gemma,    's',        false, '<end_of_turn>'
            llama2,   's',        false, '</s>'
            llama3,   's t c r',  true,  '<|eot_id|>'
            mistral,  's t c p r', true, '</s>'
            phi3,     's',        false, '<|end|>'
            qwen,     's t c p r', true, '<|im_end|>'
            vicuna,   's',        false, '</s>'
            zephyr,   's',        false, '</s>'
            """)
    void whatATemplateCanIsFoundOut(String name, String can, boolean objects, String endOfTurn) {
        TemplateCapabilities found = TemplateCapabilities.of(NamedTemplate.read(name), SPECIAL);
        String all = (found.systemRole() ? "s" : "") + (found.tools() ? " t" : "") + (found.toolCalls() ? " c" : "")
                + (found.parallelToolCalls() ? " p" : "") + (found.toolResponses() ? " r" : "");
        assertThat(all).isEqualTo(can);
        assertThat(found.objectArguments()).isEqualTo(objects);
        assertThat(found.stringContent()).isTrue();
        assertThat(found.typedContent()).isFalse();
        assertThat(found.endOfTurn()).isEqualTo(endOfTurn);
        assertThat(found.thinkingSwitch()).isEqualTo(name.equals("qwen") || name.equals("deepseek"));
        assertThat(found.shortCallIds()).isEqualTo(name.equals("mistral"));
        assertThat(found.asProperties()).containsEntry("supports_tools", can.contains("t")).hasSize(10);
    }

    @Test
    void contentOfPartsAndWhatIsRefusedAreFoundOut() {
        TemplateCapabilities parts = TemplateCapabilities.of(
                ChatTemplate.parse("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"), SPECIAL);
        assertThat(parts.stringContent()).isFalse();
        assertThat(parts.typedContent()).isTrue();
        TemplateCapabilities none = TemplateCapabilities.of(ChatTemplate.parse("{{ raise_exception('no') }}"), SPECIAL);
        assertThat(none.asProperties()).doesNotContainValue(true);
        assertThat(none.endOfTurn()).isEmpty();
        TemplateCapabilities effort = TemplateCapabilities.of(
                ChatTemplate.parse("{{ reasoning_effort }}{% for m in messages %}{{ m.reasoning_content }}{{ m.content }}{% endfor %}"), SPECIAL);
        assertThat(effort.reasoningEffort()).isTrue();
        assertThat(effort.preservesReasoning()).isTrue();
    }

    @Test
    void aFileIsReadWhereNoTemplateHasTheName(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("own.jinja"), "{{ messages[0].content }}!");
        assertThat(NamedTemplate.read(file.toString()).render(CHAT, true, SPECIAL)).isEqualTo("S!");
        assertThatThrownBy(() -> NamedTemplate.read("chatmel"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("chat template 'chatmel': expected a file, or one of bitnet, chatml, ");
    }
}
