package dev.tern.measure.report;

import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.RivalResult;
import java.util.List;
import java.util.Optional;

/**
 * What has a row in the tables and a mark in the charts: a format of Tern, or what another engine ran.
 *
 * @param name such as {@code tq1_0}, or {@code ik_llama.cpp IQ2_BN}
 * @param fileBytes 0 where unknown
 * @param format of Tern's; none for another engine
 */
record Entry(String name, long fileBytes, List<Speed> speeds, Optional<FormatResult> format) {

    static Entry of(FormatResult format) {
        return new Entry(format.outtype(), format.fileBytes(), format.speeds(), Optional.of(format));
    }

    static Entry of(RivalResult rival) {
        String name = (rival.engine() + " " + rival.type()).strip();
        return new Entry(name, rival.fileBytes(), rival.speeds(), Optional.empty());
    }

    boolean isRival() {
        return format.isEmpty();
    }

    /** Tokens a second of a test without context before it. */
    Optional<Spread> speed(Test test, int threads) {
        return speeds.stream()
                .filter(speed -> speed.threads() == threads && speed.depth() == 0 && test.is(speed))
                .map(Speed::tokensPerSecond)
                .findFirst();
    }

    /** The two tests that are compared. */
    enum Test {
        PREFILL,
        DECODE;

        boolean is(Speed speed) {
            return this == PREFILL
                    ? speed.prompt() > 0 && speed.generated() == 0
                    : speed.prompt() == 0 && speed.generated() > 0;
        }

        String title() {
            return this == PREFILL ? "Prefill" : "Decode";
        }
    }
}
