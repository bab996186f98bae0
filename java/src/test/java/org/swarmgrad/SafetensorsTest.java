// Safetensors files come back as written, and hostile ones are refused in one line.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Safetensors files come back as they were written, and hostile ones are refused in one line; not a
 * format tutorial.
 */
class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void everyTypeComesBackAsWritten() throws IOException {
    Path path = folder.resolve("all.safetensors");
    float[] large = new float[50_000];
    Random random = new Random(1);
    for (int index = 0; index < large.length; index++) {
      large[index] = Float.intBitsToFloat(random.nextInt());
    }
    Safetensors.Writer writer =
        Safetensors.writer()
            .metadata("environment", "simple_spread_v3")
            .metadata("quote", "\"\\\n\u00e9")
            .add("bytes", new byte[] {0, -1, 5}, 3)
            .add("large", large, 5, 100, 100)
            .add("doubles", new double[] {Math.PI, Double.NEGATIVE_INFINITY}, 2, 1)
            .add("ints", new int[] {Integer.MIN_VALUE, 7}, 2)
            .add("longs", new long[] {Long.MIN_VALUE})
            .add("empty", new float[0], 0, 3);
    writer.write(path);
    assertThat(Files.size(path)).isEqualTo(writer.size());
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(path);
    }
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.metadata())
          .containsExactly(
              Map.entry("environment", "simple_spread_v3"), Map.entry("quote", "\"\\\n\u00e9"));
      assertThat(file.floats("large")).isEqualTo(large);
      assertThat(file.tensor("large").shape()).containsExactly(5L, 100L, 100L);
      assertThat(file.doubles("doubles")).containsExactly(Math.PI, Double.NEGATIVE_INFINITY);
      assertThat(file.ints("ints")).containsExactly(Integer.MIN_VALUE, 7);
      assertThat(file.longs("longs")).containsExactly(Long.MIN_VALUE);
      assertThat(file.bytes("bytes")).containsExactly(0, -1, 5);
      assertThat(file.floats("empty")).isEmpty();
      assertThat(file.has("absent")).isFalse();
      assertThatThrownBy(() -> file.floats("absent"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("no tensor 'absent'");
      assertThatThrownBy(() -> file.doubles("large"))
          .hasMessageContaining("'large' is of type F32, wanted F64");
    }
  }

  @Test
  void elementsAreAlignedAndTheHeaderIsPadded() throws IOException {
    Path path = folder.resolve("aligned.safetensors");
    Safetensors.writer()
        .add("a", new byte[] {1}, 1)
        .add("b", new double[] {2}, 1)
        .add("c", new float[] {3}, 1)
        .write(path);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    long header = bytes.getLong(0);
    assertThat(header % 8).isZero();
    assertThat(bytes.getDouble(8 + (int) header)).isEqualTo(2);
    assertThat(bytes.getFloat(16 + (int) header)).isEqualTo(3);
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
    Path path = folder.resolve("kept.safetensors");
    Safetensors.writer().add("value", new float[] {1}).write(path);
    Safetensors.Tensor tensor =
        new Safetensors.Tensor("value", Safetensors.Type.F32, List.of(1_000_000L));
    assertThatThrownBy(
            () ->
                Safetensors.writer()
                    .add(
                        tensor,
                        (first, chunk) -> {
                          if (first > 0) {
                            throw new IOException("source ran dry");
                          }
                        })
                    .write(path))
        .hasMessage("source ran dry");
    try (Safetensors file = Safetensors.open(path);
        Stream<Path> files = Files.list(folder)) {
      assertThat(file.floats("value")).containsExactly(1);
      assertThat(files).containsExactly(path);
    }
  }

  @Test
  void theWriterChecksNamesAndShapes() {
    assertThatThrownBy(() -> Safetensors.writer().add("x", new float[3], 2, 2))
        .hasMessageContaining("has 4 elements, the array 3");
    assertThatThrownBy(() -> Safetensors.writer().add("x", new float[1]).add("x", new float[1]))
        .hasMessageContaining("'x' is given twice");
    assertThatThrownBy(() -> Safetensors.writer().add("__metadata__", new float[1]))
        .hasMessageContaining("the format's own");
    assertThatThrownBy(
            () ->
                new Safetensors.Tensor(
                    "x", Safetensors.Type.F32, List.of(Long.MAX_VALUE / 2, 2L, 2L)))
        .hasMessageContaining("exceeds 2^63 - 1 bytes");
  }

  static Stream<Arguments> hostileHeaders() {
    String name = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
    return Stream.of(
        Arguments.of("[]", "expected START_OBJECT"),
        Arguments.of("  ", "expected START_OBJECT"),
        Arguments.of("{\"a\":", "not valid JSON"),
        Arguments.of(name + "} x", "not valid JSON"),
        Arguments.of(name + "} {}", "text follows"),
        Arguments.of("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "lacks one of"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}",
            "dtype 'BF16' is not supported, allowed: [F32, F64, I32, I64, U8]"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "holds -2"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
            "expected VALUE_NUMBER_INT"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
            "allowed: 0 to 2^63 - 1"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
            "exceeds 2^63 - 1 bytes"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
            "span 8 bytes, shape [3] of F32 needs 12"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
            "are not [begin, end]"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
            "ends at byte 16 of the data, the file holds 8"),
        Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "a hole"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            "the tensors end at byte 4 of the data, the file at 8"),
        Arguments.of(
            name + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            "they overlap"),
        Arguments.of(
            name + ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            "Duplicate field 'a'"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            "Duplicate field 'dtype'"),
        Arguments.of(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}",
            "has 'extra'"),
        Arguments.of(name + ",\"__metadata__\":{\"k\":1}}", "expected VALUE_STRING"),
        Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]]}}", "nesting depth"),
        Arguments.of("[".repeat(100_000), "expected START_OBJECT"),
        Arguments.of("{\"a\":".repeat(100_000), "has 'a', allowed: dtype"),
        Arguments.of("{\"" + "x\\n".repeat(10_000) + "\":1}", "tensor 'x?x?"));
  }

  @ParameterizedTest
  @MethodSource("hostileHeaders")
  void hostileHeadersAreRefusedInOneLine(String header, String message) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    assertRefused(bytes(text.length, text, 8), message);
  }

  @Test
  void hostileLengthsAreRefused() throws IOException {
    byte[] text = "{}".getBytes(StandardCharsets.UTF_8);
    assertRefused(new byte[0], "0 bytes are too few");
    assertRefused(new byte[7], "7 bytes are too few");
    assertRefused(bytes(-1, text, 0), "header length 18446744073709551615 is outside");
    assertRefused(bytes(3, text, 0), "header length 3 is outside 2 to 2");
    assertRefused(bytes(Long.MAX_VALUE, text, 0), "is outside");
    assertRefused(bytes(0, text, 0), "header length 0 is outside");
    assertRefused(bytes(2, new byte[] {(byte) 0xff, (byte) 0xfe}, 0), "not UTF-8");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    Path path = folder.resolve("whole.safetensors");
    Safetensors.writer().metadata("k", "v").add("a", new float[] {1, 2}, 2).write(path);
    byte[] whole = Files.readAllBytes(path);
    for (int length = 0; length < whole.length; length++) {
      assertRefused(Arrays.copyOf(whole, length), "not a well-formed");
    }
  }

  private void assertRefused(byte[] file, String message) throws IOException {
    Path path = folder.resolve("hostile.safetensors");
    Files.write(path, file);
    assertThatThrownBy(() -> Safetensors.open(path).close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(message)
        .satisfies(
            failure -> {
              assertThat(failure.getMessage()).doesNotContain("\n");
              assertThat(failure.getMessage().length()).isLessThan(1000);
            });
  }

  private static byte[] bytes(long headerLength, byte[] header, int dataLength) {
    return ByteBuffer.allocate(8 + header.length + dataLength)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(headerLength)
        .put(header)
        .array();
  }
}
