package dev.tern.bench;

import dev.tern.Model;
import dev.tern.Session;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One decode step of a whole model. With {@code -prof gc}, the bytes allocated per step must not depend on the number of
 * layers, which is why there are two: the engine allocates nothing that grows with the model.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DecodeBenchmark {
    @Param({"4", "8"})
    public int layers;

    SyntheticModel synthetic;
    Model model;
    Session session;
    int[] token;

    @Setup
    public void load() throws IOException {
        synthetic = new SyntheticModel(layers);
        model = Model.load(synthetic.file());
        session = model.session();
        token = new int[] {1};
    }

    @TearDown
    public void delete() throws IOException {
        model.close();
        synthetic.close();
    }

    @Benchmark
    public MemorySegment step() {
        if (session.position() == SyntheticModel.CONTEXT) {
            session.rewind(0);
        }
        session.feed(token);
        return session.logits();
    }
}
