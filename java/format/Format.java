import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Checks or applies the layout of all Java sources below the given folders; run by the build as a
 * single source file. {@code Format check|apply FOLDER...}
 */
public final class Format {
  private Format() {}

  /**
   * Exits with 1 where a checked file would change.
   *
   * @param arguments the action, then folders
   */
  public static void main(String[] arguments) throws Exception {
    String action = arguments.length == 0 ? "" : arguments[0];
    if (!action.equals("check") && !action.equals("apply")) {
      System.err.println("format is '" + action + "'; allowed are check and apply");
      System.exit(2);
    }
    boolean check = action.equals("check");
    List<String> options = new ArrayList<>();
    options.addAll(check ? List.of("--dry-run", "--set-exit-if-changed") : List.of("--replace"));
    for (String folder : Arrays.copyOfRange(arguments, 1, arguments.length)) {
      options.addAll(sources(Path.of(folder)));
    }
    PrintWriter output = new PrintWriter(System.out, true);
    PrintWriter errors = new PrintWriter(System.err, true);
    int status = new Main(output, errors, System.in).format(options.toArray(String[]::new));
    if (status != 0 && check) {
      System.err.println(
          "The files above are not laid out by google-java-format: mvn -N verify -Dformat=apply");
    }
    System.exit(status);
  }

  private static List<String> sources(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(file -> !file.startsWith(folder.resolve("target")))
          .map(Path::toString)
          .sorted()
          .toList();
    }
  }
}
