import java.util.ArrayList;
import java.util.List;
import org.jetbrains.kotlin.cli.common.ExitCode;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;

/**
 * Compiles several Kotlin modules one after another in one JVM, which takes half the time of one JVM for each.
 *
 * <p>Arguments: those of kotlinc that all modules share, then for each module {@code --module NAME} and its own.
 */
final class Compile {
  public static void main(String[] arguments) {
    List<String> shared = new ArrayList<>();
    List<List<String>> modules = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.equals("--module")) {
        modules.add(new ArrayList<>());
      } else if (modules.isEmpty()) {
        shared.add(argument);
      } else {
        modules.get(modules.size() - 1).add(argument);
      }
    }
    if (modules.isEmpty()) throw new IllegalArgumentException("no --module");
    for (List<String> module : modules) {
      List<String> all = new ArrayList<>(shared);
      all.addAll(module.subList(1, module.size()));
      ExitCode code = new K2JVMCompiler().exec(System.err, all.toArray(new String[0]));
      if (code != ExitCode.OK) {
        System.err.println("module " + module.get(0) + " does not compile");
        System.exit(code.getCode());
      }
    }
  }

  private Compile() {}
}
