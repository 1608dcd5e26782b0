using P2PMigrate.PacketBench;
using P2PMigrate.Protocol.Protection;

// What a packet of bulk costs inside the protocol, without sockets and threads: nanoseconds on one processor, part by part,
// beside what its AEAD and one copy of its payload cost in the same run.
// On a machine that others use too, the least says more than the median.
//   dotnet run -c Release --project bench/P2PMigrate.PacketBench [GIGABYTES] [ROUNDS]
double gigabytes = args.Length > 0 ? double.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1;
int rounds = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 5;
foreach (ProtectionSuite suite in ProtectionSuites.Supported)
{
    List<PacketCost> costs = [];
    for (int round = 0; round < rounds; round++)
    {
        using BulkPair pair = new(suite);
        pair.Move(32 << 20);
        costs.Add(pair.Measure((long)(gigabytes * 1e9)));
    }

    Console.WriteLine($"{suite}, {Median(costs, c => c.Payload):0} bytes a packet, medians (and least) of {rounds}, ns a packet:");
    foreach ((string name, Func<PacketCost, double> part) in PacketCost.Parts)
        Console.WriteLine($"  {name,-44} {Median(costs, part),8:0.0} ({costs.Min(part):0.0})");
}

static double Median(List<PacketCost> costs, Func<PacketCost, double> part) => costs.Select(part).Order().ElementAt(costs.Count / 2);
