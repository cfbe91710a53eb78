package dev.tern.cli;

import dev.tern.EndTokens;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.template.NamedTemplate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Another chat template than the model's own. */
final class ChatTemplateOption {
    @Option(
            names = "--chat-template",
            paramLabel = "NAME|FILE",
            description = {
                "Chat template instead of the model's own: a Jinja file, or one of these:",
                "${COMPLETION-CANDIDATES}."
            },
            completionCandidates = Names.class)
    private @Nullable String template;

    /** The templates that Tern brings. */
    static final class Names extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        Names() {
            super(NamedTemplate.labels());
        }
    }

    boolean isGiven() {
        return template != null;
    }

    /**
     * The same options, stopping where the template given ends a turn, too; the model may not know that as an end
     * token.
     */
    GenerationOptions stopAtTurn(GenerationOptions options, Model model) {
        if (template == null || options.endTokens() != EndTokens.STOP) {
            return options;
        }
        List<String> stops = new ArrayList<>(options.stop());
        stops.addAll(model.chatStops());
        return options.toBuilder().stop(stops).build();
    }

    /** @throws dev.tern.io.InputException when there is no such template, or it cannot be parsed */
    void applyTo(ModelOptions.Builder options) {
        if (template != null) {
            options.chatTemplate(NamedTemplate.read(template));
        }
    }
}
