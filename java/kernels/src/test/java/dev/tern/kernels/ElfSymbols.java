package dev.tern.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SortedSet;
import java.util.TreeSet;

/** Reads the exported symbols of a 64-bit little-endian ELF library: its dynamic symbols that it defines itself. */
final class ElfSymbols {
    private static final int SHT_DYNSYM = 11;

    private ElfSymbols() {}

    static SortedSet<String> exportedBy(byte[] library) {
        ByteBuffer elf = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN);
        if (elf.getInt(0) != 0x464c457f || elf.get(4) != 2 || elf.get(5) != 1) {
            throw new IllegalArgumentException("no 64-bit little-endian ELF file");
        }
        long sections = elf.getLong(0x28);
        int sectionSize = elf.getShort(0x3a);
        int sectionCount = elf.getShort(0x3c);
        SortedSet<String> names = new TreeSet<>();
        for (int i = 0; i < sectionCount; i++) {
            int section = Math.toIntExact(sections + (long) i * sectionSize);
            if (elf.getInt(section + 4) == SHT_DYNSYM) {
                int strings = Math.toIntExact(sections + (long) elf.getInt(section + 0x28) * sectionSize);
                addDefined(elf, offset(elf, section), size(elf, section), offset(elf, strings), names);
            }
        }
        return names;
    }

    private static void addDefined(ByteBuffer elf, int table, int bytes, int strings, SortedSet<String> names) {
        for (int symbol = table; symbol < table + bytes; symbol += 24) {
            boolean local = elf.get(symbol + 4) >> 4 == 0;
            boolean undefined = elf.getShort(symbol + 6) == 0;
            if (!local && !undefined) {
                int start = strings + elf.getInt(symbol);
                int end = start;
                while (elf.get(end) != 0) {
                    end++;
                }
                names.add(new String(elf.array(), start, end - start, StandardCharsets.US_ASCII));
            }
        }
    }

    private static int offset(ByteBuffer elf, int section) {
        return Math.toIntExact(elf.getLong(section + 0x18));
    }

    private static int size(ByteBuffer elf, int section) {
        return Math.toIntExact(elf.getLong(section + 0x20));
    }
}
