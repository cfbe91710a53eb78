package dev.tern;

import dev.tern.io.InputException;
import dev.tern.model.Engine;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.PassProfile;
import dev.tern.model.PassTimes;
import dev.tern.model.ScreenUse;
import dev.tern.model.TokenWork;
import dev.tern.sampling.Sampler;
import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.template.ChatTemplate;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tools.ChatFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A loaded model. Thread-safe: any number of sessions and generations at once; their passes over the weights take
 * turns, each using all threads.
 *
 * <p>{@link #close} waits for the pass at hand, then frees everything, sessions included. Whatever is used after that
 * throws {@link IllegalStateException}.
 */
public final class Model implements AutoCloseable {
    private final Engine engine;
    private final ModelInfo info;
    private final @Nullable Tokenizer tokenizer;
    private final @Nullable InputException tokenizerProblem;
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable Session> idle = new AtomicReference<>();
    private final ModelChat chat;
    private final Samplers samplers;

    Model(
            Engine engine,
            ModelInfo info,
            @Nullable Tokenizer tokenizer,
            @Nullable InputException tokenizerProblem,
            Optional<ChatTemplate> givenTemplate) {
        this.engine = engine;
        this.info = info;
        this.tokenizer = tokenizer;
        this.tokenizerProblem = tokenizerProblem;
        this.chat = new ModelChat(info.path(), this::tokenizer, givenTemplate);
        this.samplers = new Samplers(tokenizer, engine.model().vocabSize());
    }

    /** Loads a model with {@link ModelOptions#defaults}. */
    public static Model load(Path gguf) {
        return load(gguf, ModelOptions.defaults());
    }

    /**
     * Loads a GGUF model. Ternary matrices may be stored as I2_S, TQ1_0, TQ2_0, TL1, TL2, F16, BF16 or F32; all run the
     * same way.
     *
     * @throws InputException when the file is no model that Tern can run exactly, or threads are to be bound to
     *     processors and cannot be; the message says why
     * @throws dev.tern.kernels.KernelUnavailableException when native kernels are required and cannot be had
     */
    public static Model load(Path gguf, ModelOptions options) {
        return ModelLoader.load(gguf, options);
    }

    /** The numbers of the graph. */
    public ModelHyperparameters hyperparameters() {
        return engine.model();
    }

    /** What was loaded and how it runs. */
    public ModelInfo info() {
        return info;
    }

    /**
     * The model's tokenizer.
     *
     * @throws InputException when the file has none that Tern can use; token ids work without
     */
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw Objects.requireNonNull(tokenizerProblem);
        }
        return tokenizer;
    }

    /**
     * Continues a text. BOS goes in front where the vocabulary says so; text that looks like a special token is plain
     * text.
     *
     * @throws InputException when the prompt is longer than the context, or is empty where there is no BOS
     */
    public Generation generate(String prompt, GenerationOptions options) {
        return generate(tokenizer().encode(prompt, true, false), options);
    }

    /** Continues tokens exactly as they are given. */
    public Generation generate(int[] promptIds, GenerationOptions options) {
        engine.requireOpen();
        engine.requireIds(promptIds);
        return new Generation(this, tokenizer, null, promptIds, options);
    }

    /**
     * Continues a session with tokens exactly as they are given, as a chat does turn by turn. The session stays open;
     * at the end it holds these tokens and all that were generated but the last. Leave it alone until then.
     *
     * @throws InputException when the session has no room for the tokens
     * @throws IllegalArgumentException when the session is another model's, or closed
     */
    public Generation generate(Session session, int[] more, GenerationOptions options) {
        engine.requireOpen();
        if (!sessions.contains(session)) {
            throw new IllegalArgumentException("no open session of this model");
        }
        engine.requireIds(more);
        return new Generation(this, tokenizer, session, more, options);
    }

    /** What chooses tokens and makes text of them for who runs the passes himself. */
    public Decoding decoding(GenerationOptions options) {
        return new Decoding(this, tokenizer, options);
    }

    /**
     * Answers a conversation, through the model's chat template.
     *
     * @throws InputException as {@link #chatPrompt}, or when it is longer than the context
     */
    public Generation chat(List<ChatMessage> messages, GenerationOptions options) {
        return generate(chatPrompt(messages), options);
    }

    /**
     * A sampler as a generation with these options has: it knows the model's end tokens and how the vocabulary spells
     * breakers of repetitions, has a constraint of its own, and draws a seed when none is given.
     *
     * @throws InputException when a bias is of a token that the model does not have
     */
    public Sampler sampler(GenerationOptions options) {
        return samplers.of(options);
    }

    /** The chat template of {@link ModelOptions}, or else the one that the file carries. */
    public Optional<ChatTemplate> chatTemplate() {
        return chat.template();
    }

    /**
     * How the model's chats are written and its answers read: {@link #chatTemplate} with the vocabulary's special
     * tokens as {@code bos_token}, {@code eos_token} and so on.
     *
     * @throws InputException when there is no chat template, or it is none that can be parsed
     */
    public ChatFormat chatFormat() {
        return chat.format();
    }

    /**
     * The special tokens that are marks of {@link #chatFormat}, such as {@code [TOOL_CALLS]}, or parts of one: a reader
     * of answers needs their text ({@link GenerationOptions#shown}).
     *
     * @throws InputException as {@link #chatFormat}
     */
    public Set<Integer> chatMarkIds() {
        return chat.markIds();
    }

    /**
     * Texts at which an answer ends though no end token says so: the end of a turn in {@link #chatFormat}, where the
     * vocabulary knows it as plain text. Empty for a model with its own template, as a rule; for a template of another
     * family these belong to {@link GenerationOptions#stop}.
     *
     * @throws InputException as {@link #chatFormat}
     */
    public List<String> chatStops() {
        return chat.stops();
    }

    /**
     * A conversation as the model was trained to see it.
     *
     * @param addGenerationPrompt whether the text ends where the assistant is to speak
     * @throws InputException as {@link #chatFormat}, or when the template refuses the conversation
     */
    public String applyTemplate(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return chatFormat().prompt(ChatRequest.of(messages).withGenerationPrompt(addGenerationPrompt));
    }

    /**
     * The tokens of {@link #applyTemplate} with the generation prompt. Text that spells a special token becomes that
     * token, in messages as well: do not pass on text from strangers unseen.
     */
    public int[] chatPrompt(List<ChatMessage> messages) {
        return chatIds(applyTemplate(messages, true));
    }

    /**
     * The tokens of a prompt that {@link ChatFormat#prompt} gave. BOS goes in front where the vocabulary wants it and
     * the template has not put it there.
     */
    public int[] chatIds(String prompt) {
        return chat.ids(prompt);
    }

    /**
     * Runs some work and tells what the passes over the weights meanwhile, of all sessions, spent their time on.
     *
     * @throws IllegalStateException when the model is closed, or another thread is doing the same
     */
    public PassProfile profile(Runnable work) {
        return engine.profile(work);
    }

    /** What evaluating a token takes: the bytes it reads, the operations it does. */
    public TokenWork tokenWork() {
        return engine.tokenWork();
    }

    PassTimes passTimes(boolean largestOnly) {
        return engine.passTimes(largestOnly);
    }

    /** What the head's screen has done so far: how often it was tried, and what it spared. */
    public ScreenUse screenUse() {
        return engine.screenUse();
    }

    /**
     * An embedding of tokens: the hidden states behind the model's last norm, the head's input, pooled to one vector.
     * Not normalised: a cosine divides by the length. The same bits whatever else is computed meanwhile.
     *
     * @return float32 {@code [hidden]}
     * @throws InputException when there are no tokens, an id is not in the vocabulary, or they are longer than the
     *     context
     */
    public float[] embed(int[] ids, Pooling pooling) {
        return embed(ids, pooling, info.batchSize());
    }

    /**
     * As {@link #embed(int[], Pooling)}, in passes of at most {@code passTokens} tokens, between which those of others
     * have their turns: what generates meanwhile waits for no more than such a pass.
     */
    public float[] embed(int[] ids, Pooling pooling, int passTokens) {
        return embedding(ids, passTokens).pool(pooling);
    }

    /**
     * What {@link #embed} pools: the hidden state of each token, of itself and all before it.
     *
     * @return float32 {@code [tokens][hidden]}
     * @throws InputException as {@link #embed(int[], Pooling)}
     */
    public float[][] embedEach(int[] ids) {
        return embedEach(ids, info.batchSize());
    }

    /** As {@link #embedEach(int[])}, in passes as {@link #embed(int[], Pooling, int)} makes them. */
    public float[][] embedEach(int[] ids, int passTokens) {
        return embedding(ids, passTokens).each();
    }

    private Embedding embedding(int[] ids, int passTokens) {
        engine.requireOpen();
        engine.requireIds(ids);
        if (ids.length == 0) {
            throw InputException.at("input")
                    .problem("empty")
                    .expected("at least one token")
                    .exception();
        }
        if (ids.length > engine.contextLength()) {
            throw Session.contextTooSmall("input", ids.length, engine.contextLength());
        }
        if (passTokens < 1) {
            throw new IllegalArgumentException("passes of " + passTokens + " tokens");
        }
        return new Embedding(this, engine, ids.clone(), Math.min(passTokens, engine.batchSize()));
    }

    /** An empty batch, for tokens of several sessions of this model in one pass. */
    public Batch batch() {
        return new Batch(engine);
    }

    /** A new, empty session; close it, or it lives as long as the model. */
    public Session session() {
        return new Session(engine, sessions);
    }

    /** An empty session for a generation: the one that the last generation gave back, or a new one. */
    Session borrow() {
        Session session = idle.getAndSet(null);
        return session != null && !session.isClosed() ? session : session();
    }

    /** Keeps one session's memory for the next generation, so that a request need not allocate and free it. */
    void giveBack(Session session) {
        engine.exclusively(() -> {
            if (!session.isClosed()) {
                session.rewind(0);
                if (!idle.compareAndSet(null, session)) {
                    session.close();
                }
            }
        });
    }

    /**
     * The session that {@link Session#save} wrote.
     *
     * @throws InputException when the file is no saved session, damaged, of another model or cache type, or longer than
     *     the context
     */
    public Session restore(Path file) {
        Session session = session();
        try {
            session.read(file);
            return session;
        } catch (Throwable thrown) {
            session.close();
            throw thrown;
        }
    }

    /** Waits for the pass at hand, then frees everything, sessions included. Idempotent. */
    @Override
    public void close() {
        engine.exclusively(() -> {
            List.copyOf(sessions).forEach(Session::close);
            engine.close();
        });
    }
}
