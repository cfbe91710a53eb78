package dev.tern.model;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.lut.LutSource;
import dev.tern.ternary.TernaryCodec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import org.jspecify.annotations.Nullable;

/** A ternary matrix of a file on its way to the kernels. {@link MatrixLoader} fills in where and how it lies then. */
final class FileMatrix {
    final GgufTensor tensor;
    final int rows;
    final int cols;
    final TernaryCodec codec;
    final MemorySegment data; // as the file has it
    final float factor; // of its .scale tensor
    TernaryLayout layout = TernaryLayout.ROWS;
    MemorySegment codes; // as kernels read it
    private float storedScale;
    private boolean scaleFound;
    float scale;
    @Nullable LutKernels lut; // who looks it up, when it is not multiplied

    FileMatrix(GgufTensor tensor, int rows, int cols, TernaryCodec codec, MemorySegment data, float factor) {
        this.tensor = tensor;
        this.rows = rows;
        this.cols = cols;
        this.codec = codec;
        this.data = data;
        this.factor = factor;
        this.codes = data;
    }

    /** Whether the file has it in {@link TernaryLayout#ROWS}. */
    boolean storedAsRows() {
        return codec.isRuntimeLayout() && cols % TernaryWeights.GROUP == 0;
    }

    /**
     * The scale as the file has it, without the factor. Found once, by whichever thread comes first: where a file has
     * no field for it, it is that of the first weight that is not zero, which may be far.
     *
     * @throws dev.tern.io.InputException when it is not finite
     */
    synchronized float storedScale(GgufFile file) {
        if (!scaleFound) {
            storedScale = codec.scale(data, rows, cols, file.where(tensor));
            scaleFound = true;
        }
        return storedScale;
    }

    /** Bytes of a row in the file; 0 where rows do not lie one after the other. */
    long storedRowBytes() {
        return storedAsRows()
                ? TernaryWeights.rowBytes(cols)
                : codec.encoding().map(encoding -> encoding.rowBytes(cols)).orElse(0L);
    }

    /** What kernels compute with, once it is loaded. */
    Projection weights(SegmentAllocator descriptors) {
        return lut == null
                ? TernaryWeights.of(descriptors, codes, rows, cols, scale, layout)
                : LutWeights.of(
                        descriptors, lut, LutSource.shape(codec.kernel(rows, cols).orElseThrow()), codes, scale);
    }
}
