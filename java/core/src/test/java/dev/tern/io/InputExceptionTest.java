package dev.tern.io;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InputExceptionTest {

    @Test
    void saysWhereWhatExpectedFoundAndCureInThisOrder() {
        InputException e = InputException.at("model.gguf")
                .tensor("blk.0.attn_q.weight")
                .cure("Convert it again.")
                .found(3)
                .expected(4)
                .problem("too short")
                .exception();
        assertThat(e)
                .hasMessage("model.gguf: tensor 'blk.0.attn_q.weight': too short; expected 4, found 3. Convert it again.");
    }

    @Test
    void showsControlCharactersOfNamesInsteadOfSendingThemToTheTerminal() {
        assertThat(InputException.at("m").tensor("\u001b[2Jx\u0007").problem("unknown").exception())
                .hasMessage("m: tensor '\\u001b[2Jx\\u0007': unknown");
    }
}
