package dev.tern.server.llama;

import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.completion.TokenText;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.tokenizer.Tokenizer;
import java.io.IOException;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** llama-server's {@code POST /tokenize}. */
public final class TokenizeEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        Fields body = call.body();
        Tokenizer tokenizer = call.served().tokenizer();
        int[] ids = tokenizer.encode(
                body.requiredText("content"), body.flag("add_special", false), body.flag("parse_special", true));
        ObjectNode answer = Json.object();
        if (!body.flag("with_pieces", false)) {
            answer.set("tokens", Json.array(ids));
        } else {
            ArrayNode tokens = answer.putArray("tokens");
            for (int id : ids) {
                byte[] bytes = TokenText.bytes(tokenizer, id);
                String text = TokenText.strict(bytes);
                ObjectNode token = tokens.addObject().put("id", id);
                if (text == null) {
                    token.set("piece", TokenText.array(bytes));
                } else {
                    token.put("piece", text);
                }
            }
        }
        call.json(answer);
    }
}
