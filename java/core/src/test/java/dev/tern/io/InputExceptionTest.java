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

    @Test
    void whyTheFileSystemRefusedIsInWords() {
        assertThat(message(new java.nio.file.NoSuchFileException("x"))).isEqualTo("x: cannot be read: no such file or folder");
        assertThat(message(new java.nio.file.AccessDeniedException("x"))).isEqualTo("x: cannot be read: permission denied");
        assertThat(message(new java.nio.file.FileSystemException("x", null, "Is a directory")))
                .isEqualTo("x: cannot be read: Is a directory");
        assertThat(message(new java.nio.channels.ClosedChannelException())).doesNotContain("null");
        assertThat(message(new java.io.IOException())).doesNotContain("null");
    }

    private static String message(java.io.IOException e) {
        return InputException.at("x").problem("cannot be read", e).exception(e).getMessage();
    }
}
