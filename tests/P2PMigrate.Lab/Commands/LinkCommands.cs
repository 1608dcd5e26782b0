using System.CommandLine;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.Lab;

/// <summary>The link emulator as a command.</summary>
internal static class LinkCommands
{
    /// <summary>Both ends may meet packets of this length at most; shorter limits are the model's.</summary>
    private const int DeviceMtu = 1500;

    public static Command Create()
    {
        var near = new Argument<string>("near") { Description = "Network namespace of one end" };
        var far = new Argument<string>("far") { Description = "Network namespace of the other end" };
        var text = new Argument<string[]>("faults") { Description = "Such as: delay=25ms loss=1% rate=200mbit queue=1bdp", Arity = ArgumentArity.ZeroOrMore };
        var device = new Option<string>("--device") { Description = "Name of the interface in both", DefaultValueFactory = _ => "link0" };
        var addresses = new Option<string>("--addresses") { Description = "NEAR,FAR with prefix lengths", DefaultValueFactory = _ => "10.77.0.1/24,10.77.0.2/24" };
        var seed = new Option<ulong>("--seed") { Description = "What chance begins with", DefaultValueFactory = _ => 1 };
        var command = new Command("link", "Join two network namespaces by an emulated link, until standard input ends; lines there change it") { near, far, text, device, addresses, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string[] ends = [parsed.GetRequiredValue(near), parsed.GetRequiredValue(far)];
            string[] places = parsed.GetRequiredValue(addresses).Split(',');
            string name = parsed.GetRequiredValue(device);
            using var emulator = new LinkEmulator(
                ends[0], ends[1], name, parsed.GetRequiredValue(seed), LinkText.Parse(string.Join(' ', parsed.GetValue(text) ?? []), LinkText.Wire));
            for (int i = 0; i < 2; i++)
                await ConfigureAsync(ends[i], name, places[i], cancellationToken).ConfigureAwait(false);
            Console.WriteLine("ready");
            await ObeyAsync(emulator, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task ConfigureAsync(string networkNamespace, string device, string address, CancellationToken cancellationToken)
    {
        await Tool.RequireAsync("ip", ["-n", networkNamespace, "address", "add", address, "dev", device], cancellationToken).ConfigureAwait(false);
        await Tool.RequireAsync(
            "ip", ["-n", networkNamespace, "link", "set", device, "up", "mtu", $"{DeviceMtu}", "txqueuelen", "10000"], cancellationToken).ConfigureAwait(false);
    }

    private static async Task ObeyAsync(LinkEmulator emulator, CancellationToken cancellationToken)
    {
        while (await Console.In.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            try
            {
                Console.WriteLine(emulator.Obey(line));
            }
            catch (LabException refused)
            {
                Console.WriteLine("refused: " + refused.Message);
            }
        }
    }
}
