/** From a checkpoint to a GGUF file, and what such files are: conversion and validation. */
@NullMarked
package dev.tern.convert;

import org.jspecify.annotations.NullMarked;
