using System.CommandLine;

namespace P2PMigrate.Lab;

/// <summary><c>container</c>: starts a program in a runc container of a virtual host, with a network made before.</summary>
internal static class ContainerCommands
{
    public static Command Create()
    {
        Option<string> lab = LabCommands.NameOption();
        var host = new Argument<string>("host") { Description = "source, target, or the name of a host alone (then also --name)" };
        var id = new Argument<string>("container") { Description = "Name of the container" };
        var address = new Option<string>("--address") { Description = "Its address on the host's bridge", DefaultValueFactory = _ => "10.20.0.10" };
        Argument<string[]> words = LabCommands.CommandArgument();
        var command = new Command("container", "Start a container in a host: bundle in /data, network namespace, runc") { lab, host, id, address, words };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            VirtualHost found = VirtualHost.Find(parsed.GetRequiredValue(lab), parsed.GetRequiredValue(host));
            string name = parsed.GetRequiredValue(id);
            ContainerNetwork network = await ContainerNetwork.CreateAsync(
                found, name, parsed.GetRequiredValue(address), cancellationToken: cancellationToken).ConfigureAwait(false);
            var options = new ContainerOptions { Name = name, Arguments = parsed.GetRequiredValue(words), NetworkNamespacePath = network.Path };
            ContainerBundle bundle = await ContainerBundle.CreateAsync(found, options, cancellationToken).ConfigureAwait(false);
            await bundle.StartAsync(cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"{name} runs in {found.Name} at {network.Address}, bundle {bundle.Directory}");
        });
        return command;
    }
}
