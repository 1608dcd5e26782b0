using System.CommandLine;

namespace P2PMigrate.Lab;

/// <summary>The commands that deal with whole labs.</summary>
internal static class LabCommands
{
    private const string DefaultName = "lab";

    public static IEnumerable<Command> Create() => [Up(), Exec(), Capture(), Cut(), Heal(), Down(), List(), Clean()];

    public static Option<string[]> BindOption() => new("--bind")
    {
        Description = "SOURCE:/TARGET[:ro]: show a directory or file of this machine in the host; may be repeated",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>After <c>--</c>: the program and its arguments.</summary>
    public static Argument<string[]> CommandArgument() => new("command")
    {
        Description = "After `--`: the program and its arguments",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Option<string> NameOption() => new("--name") { Description = "Name of the lab", DefaultValueFactory = _ => DefaultName };

    private static Argument<string> NodeArgument() => new("node") { Description = string.Join(", ", LabMap.Nodes) };

    private static Command Up()
    {
        Option<string> name = NameOption();
        Option<string[]> bind = BindOption();
        var both = new Option<string?>("--nat") { Description = $"Kind of both NATs: {string.Join(" or ", NatKind.All)}" };
        var source = new Option<string?>("--nat-source") { Description = "Kind of the source's NAT" };
        var target = new Option<string?>("--nat-target") { Description = "Kind of the target's NAT" };
        var sharing = new Option<NatSharing>("--share") { Description = "Both hosts behind the source's router: OneLan or ApartOnOneLan" };
        var hold = new Option<bool>("--hold") { Description = "Stay, and take the lab down when interrupted" };
        var command = new Command("up", "Raise a lab; it stays until `down`") { name, both, source, target, sharing, bind, hold };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            NatKind KindOf(Option<string?> option) => NatKind.Parse(parsed.GetValue(option) ?? parsed.GetValue(both) ?? NatKind.PortRestricted.Name);
            var options = new LabOptions
            {
                Name = parsed.GetRequiredValue(name),
                SourceNat = KindOf(source),
                TargetNat = KindOf(target),
                Sharing = parsed.GetValue(sharing),
                Binds = [.. (parsed.GetValue(bind) ?? []).Select(BindMount.Parse)],
            };
            await UpAsync(options, parsed.GetValue(hold), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task UpAsync(LabOptions options, bool hold, CancellationToken cancellationToken)
    {
        if (!hold && (options.SourceNat.MapsPorts || options.TargetNat.MapsPorts)) throw new LabException("a gateway that maps ports runs as long as this command: use --hold");
        await using VirtualLab lab = await VirtualLab.RaiseAsync(options, cancellationToken).ConfigureAwait(false);
        if (!hold) lab.Disown();
        Console.WriteLine($"{lab.Name} is up: {options.SourceNat} before source, {options.TargetNat} before target, rendezvous {LabAddresses.Rendezvous}");
        if (hold) await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static Command Exec()
    {
        Option<string> name = NameOption();
        Argument<string> node = NodeArgument();
        Argument<string[]> words = CommandArgument();
        var command = new Command("exec", "Run a command in a node") { name, node, words };
        command.SetAction((parsed, cancellationToken) =>
        {
            string[] line = parsed.GetRequiredValue(words);
            LabNode found = VirtualLab.Find(parsed.GetRequiredValue(name))[parsed.GetRequiredValue(node)];
            return found.RunInForegroundAsync(new NodeCommand(line[0], line[1..]), cancellationToken);
        });
        return command;
    }

    private static Command Capture()
    {
        Option<string> name = NameOption();
        Argument<string> node = NodeArgument();
        var file = new Argument<string>("file") { Description = "Where to write the packets, in pcap form" };
        var command = new Command("capture", "Record a node's packets until interrupted") { name, node, file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            VirtualLab lab = VirtualLab.Find(parsed.GetRequiredValue(name));
            string path = Path.GetFullPath(parsed.GetRequiredValue(file));
            await using PacketCapture capture = await lab.CaptureAsync(lab[parsed.GetRequiredValue(node)], path, cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"recording to {path}");
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await capture.StopAsync(CancellationToken.None).ConfigureAwait(false);
        });
        return command;
    }

    private static Command Cut() =>
        OnNode("cut", "Make a node's uplink swallow every packet", (lab, node, cancellationToken) => lab.CutAsync(node, cancellationToken));

    private static Command Heal() =>
        OnNode("heal", "Make a cut uplink whole again", (lab, node, cancellationToken) => lab.HealAsync(node, cancellationToken));

    private static Command OnNode(string verb, string description, Func<VirtualLab, LabNode, CancellationToken, Task> action)
    {
        Option<string> name = NameOption();
        Argument<string> node = NodeArgument();
        var command = new Command(verb, description) { name, node };
        command.SetAction((parsed, cancellationToken) =>
        {
            VirtualLab lab = VirtualLab.Find(parsed.GetRequiredValue(name));
            return action(lab, lab[parsed.GetRequiredValue(node)], cancellationToken);
        });
        return command;
    }

    private static Command Down()
    {
        Option<string> name = NameOption();
        var command = new Command("down", "Remove a lab with all that runs in it") { name };
        command.SetAction((parsed, cancellationToken) => VirtualLab.RemoveAsync(parsed.GetRequiredValue(name), cancellationToken));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Show the labs and hosts of this machine");
        command.SetAction(_ =>
        {
            foreach (LabRecord record in LabRegistry.List())
                Console.WriteLine($"{record.Name}\thosts: {string.Join(' ', record.Hosts.Keys)}\towner: {record.Owner?.Pid.ToString() ?? "none"}");
        });
        return command;
    }

    private static Command Clean()
    {
        var command = new Command("clean", "Remove what labs of crashed owners left behind");
        command.SetAction(async (_, cancellationToken) =>
        {
            foreach (string name in await LabRemains.RemoveOrphansAsync(cancellationToken).ConfigureAwait(false)) Console.WriteLine($"removed {name}");
        });
        return command;
    }
}
