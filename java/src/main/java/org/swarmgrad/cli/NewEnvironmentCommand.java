// swarmgrad new-env: writes the documented template of an environment of one's own.
package org.swarmgrad.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.EnvironmentSpec;

final class NewEnvironmentCommand implements Command {
  private static final String NAME = "[a-z][a-z0-9_]{0,63}";

  @Override
  public String name() {
    return "new-env";
  }

  @Override
  public String summary() {
    return "Write the template of an environment of your own, NAME.hpp.";
  }

  @Override
  public String usage() {
    return "new-env NAME [--json]";
  }

  @Override
  public String example() {
    return "new-env my_game";
  }

  @Override
  public Options options() {
    return Arguments.json(new Options());
  }

  @Override
  public boolean takesFiles() {
    return true;
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    if (line.getArgList().size() != 1 || !line.getArgList().get(0).matches(NAME)) {
      throw new UsageException(
          "the name is '"
              + String.join(" ", line.getArgList())
              + "'; allowed: one word of small letters, digits and '_', for example my_game");
    }
    String name = line.getArgList().get(0);
    Path file = Path.of(name + ".hpp");
    String type =
        Arrays.stream(name.split("_+"))
            .map(word -> word.substring(0, 1).toUpperCase() + word.substring(1))
            .collect(Collectors.joining());
    String text = EnvironmentSpec.template().replace("my_game", name).replace("MyGame", type);
    try {
      Files.writeString(file, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException taken) {
      throw new IOException(
          file + " exists already; allowed: a new name, or another folder", taken);
    }
    terminal.say("wrote %s; train it: swarmgrad train --env ./%s", file, file);
    terminal.result(Json.object().put("file", file.toString()));
    return 0;
  }
}
