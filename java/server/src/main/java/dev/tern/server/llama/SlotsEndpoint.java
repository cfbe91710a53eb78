package dev.tern.server.llama;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.json.Json;
import dev.tern.server.slots.SlotState;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code GET /slots}: what each slot does. */
public final class SlotsEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        List<SlotState> slots = call.served().completions().slots();
        if (call.query().getOrDefault("fail_on_no_slot", "0").equals("1")
                && slots.stream().allMatch(SlotState::busy)) {
            throw ApiException.unavailable("no slot is free", Duration.ofSeconds(1));
        }
        ArrayNode all = Json.array();
        slots.forEach(slot -> all.add(slot(slot)));
        call.json(all);
    }

    /** A slot as {@code /slots} and {@code /props} show it. */
    static ObjectNode slot(SlotState slot) {
        ObjectNode node = Json.object()
                .put("id", slot.id())
                .put("id_task", slot.task())
                .put("n_ctx", slot.contextLength())
                .put("n_past", slot.tokens())
                .put("speculative", slot.speculative())
                .put("is_processing", slot.busy());
        node.putObject("next_token").put("has_next_token", slot.busy()).put("n_decoded", slot.generated());
        return node;
    }
}
