package dev.tern.source;

import dev.tern.io.InputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a service account proves itself with: a JSON Web Token that asks for read access to storage, signed with the
 * account's RSA key (RS256). Immutable.
 *
 * @see <a href="https://developers.google.com/identity/protocols/oauth2/service-account#httprest">the protocol</a>
 */
final class SignedAssertion {
    private static final String SCOPE = "https://www.googleapis.com/auth/devstorage.read_only";
    private static final int LIFE_SECONDS = 3600;

    private final String account;
    private final String audience;
    private final String keyId;
    private final PrivateKey key;
    private final Path file;

    /**
     * @param pem the key, PKCS #8 in PEM
     * @param file it came from, for errors
     */
    SignedAssertion(String account, String audience, String keyId, String pem, Path file) {
        this.account = account;
        this.audience = audience;
        this.keyId = keyId;
        this.file = file;
        String base64 = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        try {
            key = KeyFactory.getInstance("RSA")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw InputException.at(file)
                    .key("private_key")
                    .expected("an RSA key, PKCS #8 in PEM")
                    .found("something else")
                    .cure("Download the key of the service account again.")
                    .exception(); // without the cause, which might tell of the key
        }
    }

    /** The token, good for an hour from a time on. */
    String at(Instant time) {
        ObjectNode header = JsonNodeFactory.instance.objectNode();
        header.put("alg", "RS256").put("typ", "JWT");
        if (!keyId.isEmpty()) {
            header.put("kid", keyId);
        }
        ObjectNode claims = JsonNodeFactory.instance.objectNode();
        claims.put("iss", account).put("scope", SCOPE).put("aud", audience);
        claims.put("iat", time.getEpochSecond()).put("exp", time.getEpochSecond() + LIFE_SECONDS);
        String signed = base64(header.toString().getBytes(StandardCharsets.UTF_8)) + "."
                + base64(claims.toString().getBytes(StandardCharsets.UTF_8));
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + base64(signature.sign());
        } catch (GeneralSecurityException e) {
            throw InputException.at(file).key("private_key").problem("cannot sign").exception();
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
