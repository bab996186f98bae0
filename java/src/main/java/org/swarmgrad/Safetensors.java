// Reads and writes safetensors files, trusting nothing in them; not a tensor library.
package org.swarmgrad;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.swarmgrad.internal.WholeFile;

/**
 * A safetensors file open for reading, and a writer of such files: named arrays of the five element
 * types that swarmgrad uses, and metadata strings; not a general tensor library.
 *
 * <p>The format is an 8-byte little-endian header length, a JSON header, then the raw little-endian
 * data. Every length, offset and name in the header is checked against the file before any memory
 * for a tensor is taken. One thread at a time.
 */
public final class Safetensors implements Closeable {
  /** The largest header that is read, the limit of the format's own library. */
  private static final long HEADER_LIMIT = 100_000_000;

  private static final int LENGTH_BYTES = Long.BYTES;
  private static final int CHUNK_BYTES = 1 << 16;
  private static final String METADATA = "__metadata__";

  /** An element type. */
  public enum Type {
    /** Single precision. */
    F32(4),
    /** Double precision. */
    F64(8),
    /** Signed 32-bit integer. */
    I32(4),
    /** Signed 64-bit integer. */
    I64(8),
    /** Unsigned byte. */
    U8(1);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /**
     * The size of one element.
     *
     * @return bytes
     */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * What the header says of one tensor.
   *
   * @param name unique in its file
   * @param type of every element
   * @param shape slowest index first; empty for a single value
   */
  public record Tensor(String name, Type type, List<Long> shape) {
    /**
     * Checks name and shape.
     *
     * @throws IllegalArgumentException if a dimension is negative or the size in bytes exceeds 2^63
     *     - 1
     */
    public Tensor {
      shape = List.copyOf(shape);
      if (name.equals(METADATA)) {
        throw new IllegalArgumentException("tensor name '" + METADATA + "' is the format's own");
      }
      long size = type.bytes();
      boolean empty = shape.contains(0L);
      for (long dimension : shape) {
        if (dimension < 0) {
          throw new IllegalArgumentException(
              "tensor '" + name + "': shape " + shape + " has a negative dimension");
        }
        if (!empty && size > Long.MAX_VALUE / dimension) {
          throw new IllegalArgumentException(
              "tensor '" + name + "': shape " + shape + " of " + type + " exceeds 2^63 - 1 bytes");
        }
        size = empty ? 0 : size * dimension;
      }
    }

    /**
     * The product of the shape.
     *
     * @return elements
     */
    public long count() {
      return shape.contains(0L) ? 0 : shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /**
     * The size of the data.
     *
     * @return bytes
     */
    public long size() {
      return count() * type.bytes();
    }
  }

  /** Delivers a tensor's elements piece by piece, so that a file may be larger than memory. */
  @FunctionalInterface
  public interface Source {
    /**
     * Fills the whole of {@code chunk}, which is little-endian, with elements from {@code first}
     * on.
     *
     * @param first index of the chunk's first element in the flattened tensor
     * @param chunk a whole number of elements
     * @throws IOException if the elements cannot be had
     */
    void fill(long first, ByteBuffer chunk) throws IOException;
  }

  private record Place(Tensor tensor, long offset) {}

  private final Path path;
  private final FileChannel channel;
  private final Map<String, String> metadata;
  private final Map<String, Place> places;

  private Safetensors(Path path, FileChannel channel, Header header, long dataOffset) {
    this.path = path;
    this.channel = channel;
    this.metadata = Collections.unmodifiableMap(header.metadata);
    this.places = new LinkedHashMap<>();
    header.entries.forEach(
        (name, entry) -> places.put(name, new Place(entry.tensor, dataOffset + entry.begin)));
  }

  /**
   * Opens a file and checks its whole header.
   *
   * @param path of the file
   * @return the open file
   * @throws IOException if it cannot be read or is not a well-formed safetensors file; the message
   *     says what was found
   */
  public static Safetensors open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      long fileSize = channel.size();
      if (fileSize < LENGTH_BYTES) {
        throw malformed(path, fileSize + " bytes are too few for a header length");
      }
      long headerLength = read(path, channel, 0, LENGTH_BYTES).getLong();
      long limit = Math.min(HEADER_LIMIT, fileSize - LENGTH_BYTES);
      if (headerLength < 2 || headerLength > limit) {
        throw malformed(
            path,
            "header length "
                + Long.toUnsignedString(headerLength)
                + " is outside 2 to "
                + limit
                + " in a file of "
                + fileSize
                + " bytes");
      }
      ByteBuffer bytes = read(path, channel, LENGTH_BYTES, (int) headerLength);
      long dataOffset = LENGTH_BYTES + headerLength;
      Header header = new Header(path, bytes);
      header.checkOffsets(fileSize - dataOffset);
      return new Safetensors(path, channel, header, dataOffset);
    } catch (IOException | RuntimeException failure) {
      channel.close();
      throw failure;
    }
  }

  /**
   * A writer with nothing in it.
   *
   * @return the writer
   */
  public static Writer writer() {
    return new Writer();
  }

  /**
   * The strings that describe the file.
   *
   * @return in the order of the file
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Everything in the file.
   *
   * @return in the order of the file
   */
  public List<Tensor> tensors() {
    return places.values().stream().map(Place::tensor).toList();
  }

  /**
   * Whether the file has a tensor of this name.
   *
   * @param name of the tensor
   * @return true if so
   */
  public boolean has(String name) {
    return places.containsKey(name);
  }

  /**
   * One tensor's type and shape.
   *
   * @param name of the tensor
   * @return what the header says
   * @throws IOException if there is none of this name
   */
  public Tensor tensor(String name) throws IOException {
    return place(name).tensor;
  }

  /**
   * Reads a tensor of type F32.
   *
   * @param name of the tensor
   * @return its elements, last index fastest
   * @throws IOException if it is missing, of another type, or cannot be read
   */
  public float[] floats(String name) throws IOException {
    float[] values = new float[count(name, Type.F32)];
    forEachChunk(
        name,
        (first, chunk) ->
            chunk.asFloatBuffer().get(values, (int) first, chunk.remaining() / Float.BYTES));
    return values;
  }

  /**
   * Reads a tensor of type F64.
   *
   * @param name of the tensor
   * @return its elements, last index fastest
   * @throws IOException if it is missing, of another type, or cannot be read
   */
  public double[] doubles(String name) throws IOException {
    double[] values = new double[count(name, Type.F64)];
    forEachChunk(
        name,
        (first, chunk) ->
            chunk.asDoubleBuffer().get(values, (int) first, chunk.remaining() / Double.BYTES));
    return values;
  }

  /**
   * Reads a tensor of type I32.
   *
   * @param name of the tensor
   * @return its elements, last index fastest
   * @throws IOException if it is missing, of another type, or cannot be read
   */
  public int[] ints(String name) throws IOException {
    int[] values = new int[count(name, Type.I32)];
    forEachChunk(
        name,
        (first, chunk) ->
            chunk.asIntBuffer().get(values, (int) first, chunk.remaining() / Integer.BYTES));
    return values;
  }

  /**
   * Reads a tensor of type I64.
   *
   * @param name of the tensor
   * @return its elements, last index fastest
   * @throws IOException if it is missing, of another type, or cannot be read
   */
  public long[] longs(String name) throws IOException {
    long[] values = new long[count(name, Type.I64)];
    forEachChunk(
        name,
        (first, chunk) ->
            chunk.asLongBuffer().get(values, (int) first, chunk.remaining() / Long.BYTES));
    return values;
  }

  /**
   * Reads a tensor of type U8.
   *
   * @param name of the tensor
   * @return its elements, last index fastest
   * @throws IOException if it is missing, of another type, or cannot be read
   */
  public byte[] bytes(String name) throws IOException {
    byte[] values = new byte[count(name, Type.U8)];
    forEachChunk(name, (first, chunk) -> chunk.get(values, (int) first, chunk.remaining()));
    return values;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private Place place(String name) throws IOException {
    Place place = places.get(name);
    if (place == null) {
      throw error(path, "no tensor '" + name + "', found " + places.keySet());
    }
    return place;
  }

  private int count(String name, Type type) throws IOException {
    Tensor tensor = place(name).tensor;
    if (tensor.type != type) {
      throw error(path, "tensor '" + name + "' is of type " + tensor.type + ", wanted " + type);
    }
    if (tensor.count() > Integer.MAX_VALUE - 8) {
      throw error(
          path,
          "tensor '"
              + name
              + "' has "
              + tensor.count()
              + " elements, at most "
              + (Integer.MAX_VALUE - 8)
              + " fit a Java array");
    }
    return (int) tensor.count();
  }

  private void forEachChunk(String name, Source consumer) throws IOException {
    Place place = place(name);
    long size = place.tensor.size();
    for (long begin = 0; begin < size; begin += CHUNK_BYTES) {
      int length = (int) Math.min(CHUNK_BYTES, size - begin);
      consumer.fill(
          begin / place.tensor.type.bytes(), read(path, channel, place.offset + begin, length));
    }
  }

  private static ByteBuffer read(Path path, FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw malformed(path, "ends inside the " + length + " bytes at " + position);
      }
    }
    return buffer.flip();
  }

  private static IOException malformed(Path path, String what) {
    return error(path, "not a well-formed safetensors file: " + what);
  }

  /** One line of bounded length, whatever names a hostile file holds. */
  private static IOException error(Path path, String what) {
    String line = what.replaceAll("\\p{Cntrl}", "?");
    return new IOException(
        path + ": " + (line.length() > 400 ? line.substring(0, 400) + "..." : line));
  }

  /**
   * The JSON header as read, each entry checked in itself; checkOffsets looks at all of them
   * together.
   */
  private static final class Header {
    private record Entry(Tensor tensor, long begin, long end) {}

    private final Path path;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    Header(Path path, ByteBuffer bytes) throws IOException {
      this.path = path;
      // Decoding first refuses malformed UTF-8 and keeps the parser from guessing another encoding.
      String text;
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      } catch (CharacterCodingException failure) {
        throw malformed(path, "the header is not UTF-8");
      }
      JsonFactory factory =
          JsonFactory.builder()
              .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
              .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(3).build())
              .build();
      try (JsonParser parser = factory.createParser(text)) {
        expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the header");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          if (name.equals(METADATA)) {
            readMetadata(parser);
          } else {
            entries.put(name, readEntry(parser, name));
          }
        }
        if (parser.nextToken() != null) {
          throw malformed(path, "text follows the header's closing brace");
        }
      } catch (JsonProcessingException failure) {
        throw malformed(path, "the header is not valid JSON: " + failure.getOriginalMessage());
      }
    }

    private void readMetadata(JsonParser parser) throws IOException {
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT, METADATA);
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        expect(
            parser, parser.nextToken(), JsonToken.VALUE_STRING, METADATA + " entry '" + key + "'");
        metadata.put(key, parser.getText());
      }
    }

    private Entry readEntry(JsonParser parser, String name) throws IOException {
      String where = "tensor '" + name + "'";
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT, where);
      Type type = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        JsonToken value = parser.nextToken();
        switch (key) {
          case "dtype" -> type = readType(parser, value, where);
          case "shape" -> shape = readNumbers(parser, value, where + " shape");
          case "data_offsets" -> offsets = readNumbers(parser, value, where + " data_offsets");
          default ->
              throw malformed(
                  path, where + " has '" + key + "', allowed: dtype, shape, data_offsets");
        }
      }
      if (type == null || shape == null || offsets == null) {
        throw malformed(path, where + " lacks one of dtype, shape, data_offsets");
      }
      if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
        throw malformed(path, where + " data_offsets " + offsets + " are not [begin, end]");
      }
      Tensor tensor;
      try {
        tensor = new Tensor(name, type, shape);
      } catch (IllegalArgumentException failure) {
        throw malformed(path, failure.getMessage());
      }
      long length = offsets.get(1) - offsets.get(0);
      if (tensor.size() != length) {
        throw malformed(
            path,
            where
                + " data_offsets "
                + offsets
                + " span "
                + length
                + " bytes, shape "
                + shape
                + " of "
                + type
                + " needs "
                + tensor.size());
      }
      return new Entry(tensor, offsets.get(0), offsets.get(1));
    }

    private Type readType(JsonParser parser, JsonToken token, String where) throws IOException {
      expect(parser, token, JsonToken.VALUE_STRING, where + " dtype");
      for (Type type : Type.values()) {
        if (type.name().equals(parser.getText())) {
          return type;
        }
      }
      throw malformed(
          path,
          where
              + " dtype '"
              + parser.getText()
              + "' is not supported, allowed: "
              + Arrays.toString(Type.values()));
    }

    private List<Long> readNumbers(JsonParser parser, JsonToken token, String where)
        throws IOException {
      expect(parser, token, JsonToken.START_ARRAY, where);
      List<Long> numbers = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT, where);
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
            || parser.getLongValue() < 0) {
          throw malformed(path, where + " holds " + parser.getText() + ", allowed: 0 to 2^63 - 1");
        }
        numbers.add(parser.getLongValue());
      }
      return numbers;
    }

    /** Tensors must tile the data exactly: the format allows neither overlaps nor holes. */
    void checkOffsets(long dataSize) throws IOException {
      List<Entry> ascending = new ArrayList<>(entries.values());
      ascending.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
      long expected = 0;
      for (Entry entry : ascending) {
        if (entry.end > dataSize) {
          throw malformed(
              path,
              "tensor '"
                  + entry.tensor.name
                  + "' ends at byte "
                  + entry.end
                  + " of the data, the file holds "
                  + dataSize);
        }
        if (entry.begin != expected) {
          throw malformed(
              path,
              "tensor '"
                  + entry.tensor.name
                  + "' begins at byte "
                  + entry.begin
                  + " of the data, the tensor before it ends at "
                  + expected
                  + (entry.begin < expected ? ": they overlap" : ": a hole"));
        }
        expected = entry.end;
      }
      if (expected != dataSize) {
        throw malformed(
            path, "the tensors end at byte " + expected + " of the data, the file at " + dataSize);
      }
    }

    private void expect(JsonParser parser, JsonToken found, JsonToken wanted, String where)
        throws IOException {
      if (found != wanted) {
        throw malformed(path, where + ": expected " + wanted + ", found " + parser.getText());
      }
    }
  }

  /** Collects tensors, then writes them to one file in one go. */
  public static final class Writer {
    private record Part(Tensor tensor, Source source) {}

    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Part> parts = new LinkedHashMap<>();

    private Writer() {}

    /**
     * Adds a string that describes the file.
     *
     * @param key unique in the file
     * @param value any text
     * @return this writer
     */
    public Writer metadata(String key, String value) {
      if (metadata.put(key, value) != null) {
        throw new IllegalArgumentException("metadata key '" + key + "' is given twice");
      }
      return this;
    }

    /**
     * Adds a tensor of type F32.
     *
     * @param name unique in the file
     * @param values last index fastest, read when the file is written
     * @param shape slowest index first
     * @return this writer
     */
    public Writer add(String name, float[] values, long... shape) {
      return add(
          tensor(name, Type.F32, values.length, shape),
          (first, chunk) ->
              chunk.asFloatBuffer().put(values, (int) first, chunk.remaining() / Float.BYTES));
    }

    /**
     * Adds a tensor of type F64.
     *
     * @param name unique in the file
     * @param values last index fastest, read when the file is written
     * @param shape slowest index first
     * @return this writer
     */
    public Writer add(String name, double[] values, long... shape) {
      return add(
          tensor(name, Type.F64, values.length, shape),
          (first, chunk) ->
              chunk.asDoubleBuffer().put(values, (int) first, chunk.remaining() / Double.BYTES));
    }

    /**
     * Adds a tensor of type I32.
     *
     * @param name unique in the file
     * @param values last index fastest, read when the file is written
     * @param shape slowest index first
     * @return this writer
     */
    public Writer add(String name, int[] values, long... shape) {
      return add(
          tensor(name, Type.I32, values.length, shape),
          (first, chunk) ->
              chunk.asIntBuffer().put(values, (int) first, chunk.remaining() / Integer.BYTES));
    }

    /**
     * Adds a tensor of type I64.
     *
     * @param name unique in the file
     * @param values last index fastest, read when the file is written
     * @param shape slowest index first
     * @return this writer
     */
    public Writer add(String name, long[] values, long... shape) {
      return add(
          tensor(name, Type.I64, values.length, shape),
          (first, chunk) ->
              chunk.asLongBuffer().put(values, (int) first, chunk.remaining() / Long.BYTES));
    }

    /**
     * Adds a tensor of type U8.
     *
     * @param name unique in the file
     * @param values last index fastest, read when the file is written
     * @param shape slowest index first
     * @return this writer
     */
    public Writer add(String name, byte[] values, long... shape) {
      return add(
          tensor(name, Type.U8, values.length, shape),
          (first, chunk) -> chunk.put(values, (int) first, chunk.remaining()));
    }

    /**
     * Adds a tensor whose elements are asked for while the file is written.
     *
     * @param tensor its name, type and shape
     * @param source of the elements
     * @return this writer
     */
    public Writer add(Tensor tensor, Source source) {
      if (parts.put(tensor.name, new Part(tensor, source)) != null) {
        throw new IllegalArgumentException("tensor name '" + tensor.name + "' is given twice");
      }
      return this;
    }

    /**
     * The size of the file that {@link #write} would make.
     *
     * @return bytes
     * @throws IllegalArgumentException if it exceeds 2^63 - 1
     */
    public long size() {
      long size = LENGTH_BYTES + header().length;
      for (Part part : parts.values()) {
        if (part.tensor.size() > Long.MAX_VALUE - size) {
          throw new IllegalArgumentException("the tensors together exceed 2^63 - 1 bytes");
        }
        size += part.tensor.size();
      }
      return size;
    }

    /**
     * Writes the file. It appears under its name complete, or not at all: the data goes to a
     * temporary name beside it, is forced to the disk, then renamed.
     *
     * @param path of the file, replaced if it exists
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
      size();
      WholeFile.write(path, this::writeTo);
    }

    private void writeTo(FileChannel channel) throws IOException {
      byte[] header = header();
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      WholeFile.writeFully(channel, chunk.putLong(header.length).flip());
      WholeFile.writeFully(channel, ByteBuffer.wrap(header));
      for (Part part : ordered()) {
        long size = part.tensor.size();
        for (long begin = 0; begin < size; begin += CHUNK_BYTES) {
          chunk.clear().limit((int) Math.min(CHUNK_BYTES, size - begin));
          part.source.fill(begin / part.tensor.type.bytes(), chunk);
          WholeFile.writeFully(channel, chunk.rewind());
        }
      }
    }

    /** Widest elements first, so that each tensor lies at a multiple of its element size. */
    private List<Part> ordered() {
      List<Part> ordered = new ArrayList<>(parts.values());
      ordered.sort(Comparator.comparingInt((Part part) -> part.tensor.type.bytes()).reversed());
      return ordered;
    }

    /** JSON, padded with spaces to a multiple of 8 bytes as the format's own library does. */
    private byte[] header() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
        json.writeStartObject();
        if (!metadata.isEmpty()) {
          json.writeObjectFieldStart(METADATA);
          for (Map.Entry<String, String> entry : metadata.entrySet()) {
            json.writeStringField(entry.getKey(), entry.getValue());
          }
          json.writeEndObject();
        }
        long begin = 0;
        for (Part part : ordered()) {
          long end = begin + part.tensor.size();
          json.writeObjectFieldStart(part.tensor.name);
          json.writeStringField("dtype", part.tensor.type.name());
          json.writeFieldName("shape");
          json.writeArray(
              part.tensor.shape.stream().mapToLong(Long::longValue).toArray(),
              0,
              part.tensor.shape.size());
          json.writeFieldName("data_offsets");
          json.writeArray(new long[] {begin, end}, 0, 2);
          json.writeEndObject();
          begin = end;
        }
        json.writeEndObject();
      } catch (IOException impossible) {
        throw new IllegalStateException("writing to memory failed", impossible);
      }
      bytes.writeBytes(" ".repeat(-bytes.size() & 7).getBytes(StandardCharsets.US_ASCII));
      return bytes.toByteArray();
    }

    private static Tensor tensor(String name, Type type, int length, long... shape) {
      Tensor tensor = new Tensor(name, type, Arrays.stream(shape).boxed().toList());
      if (tensor.count() != length) {
        throw new IllegalArgumentException(
            "tensor '"
                + name
                + "': shape "
                + tensor.shape
                + " has "
                + tensor.count()
                + " elements, the array "
                + length);
      }
      return tensor;
    }
  }
}
