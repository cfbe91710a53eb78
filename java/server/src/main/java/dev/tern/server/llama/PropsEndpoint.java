package dev.tern.server.llama;

import dev.tern.GenerationOptions;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.server.slots.SlotState;
import dev.tern.tokenizer.SpecialToken;
import java.io.IOException;
import tools.jackson.databind.node.ObjectNode;

/** llama-server's {@code GET /props}: what a client may want to know of the server. */
public final class PropsEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        Served served = call.served();
        SlotState first = served.completions().slots().getFirst();
        ObjectNode settings = SlotsEndpoint.slot(first);
        settings.set(
                "params",
                GenerationSettings.of(
                        GenerationOptions.builder().maxTokens(-1).build()));
        settings.put("prompt", "");
        ObjectNode props = Json.object();
        props.set("default_generation_settings", settings);
        props.put("total_slots", served.completions().slots().size());
        props.put("model_alias", served.id());
        props.put("model_path", served.model().info().path().toString());
        props.put("chat_template", served.chats().ifAny().map(chats -> chats.template().source()).orElse(""));
        ObjectNode caps = props.putObject("chat_template_caps");
        served.chats().ifAny().ifPresent(chats -> chats.capabilities().asProperties().forEach(caps::put));
        served.tokenizer().vocabulary().token(SpecialToken.BOS).ifPresent(text -> props.put("bos_token", text));
        served.tokenizer().vocabulary().token(SpecialToken.EOS).ifPresent(text -> props.put("eos_token", text));
        props.putObject("modalities").put("vision", false).put("audio", false);
        props.put("build_info", call.options().buildInfo());
        props.put("is_sleeping", false);
        call.json(props);
    }

    /** {@code POST /props}: there is nothing in it that could be changed, as in llama-server. */
    public static void change(Call call) throws IOException {
        if (!call.options().props()) {
            throw ApiException.notSupported("the server does not let its properties be changed: start it with --props");
        }
        call.body();
        call.json(Json.object().put("success", true));
    }
}
