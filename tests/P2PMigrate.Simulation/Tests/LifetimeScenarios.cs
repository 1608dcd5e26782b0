using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>How long a NAT keeps a mapping is found out behind NATs of which it is known.</summary>
public sealed class LifetimeScenarios
{
    private static readonly NetworkAddress s_server = Internet.Address("198.51.100.1:3478");
    private static readonly TimeSpan s_way = TimeSpan.FromMilliseconds(15);

    // spec: PATH-83
    [Theory]
    [InlineData(5, null, 9)]
    [InlineData(20, 18, 28)]
    [InlineData(30, 28, 43)]
    [InlineData(60, 58, 88)]
    [InlineData(90, 88, 115)]
    [InlineData(300, 115, null)]
    public void The_life_of_an_idle_mapping_is_found_between_two_silences(int seconds, int? atLeast, int? atMost)
    {
        foreach (NatMapping mapping in new[] { NatMapping.EndpointIndependent, NatMapping.AddressAndPortDependent })
        {
            (MappingLife life, TimeSpan took) = Run(new NatBehaviour { Mapping = mapping, Lifetime = TimeSpan.FromSeconds(seconds) }, isServerThere: true);
            Assert.Equal((atLeast, atMost), (Seconds(life.AtLeast), Seconds(life.AtMost)));
            Assert.InRange(took, TimeSpan.FromSeconds(atMost ?? atLeast!.Value), TimeSpan.FromSeconds((atMost ?? atLeast!.Value) + 2));
        }
    }

    // spec: PATH-83
    [Fact]
    public void A_server_that_does_not_answer_lets_nothing_be_known()
    {
        (MappingLife life, TimeSpan took) = Run(new NatBehaviour(), isServerThere: false);
        Assert.Equal(default, life);
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    private static int? Seconds(TimeSpan? time) => (int?)time?.TotalSeconds;

    private static (MappingLife Life, TimeSpan Took) Run(NatBehaviour behaviour, bool isServerThere)
    {
        VirtualNat nat = new(behaviour, Internet.Address("192.0.2.10:1"), new SeededGenerator(1));
        using RendezvousServerCore server = new(new RendezvousServerOptions(), new SeededEntropy(new SeededGenerator(2)), default);
        Instant begun = new(1_000_000_000), now = begun;
        LifetimeSurvey survey = new(now, s_server, new SeededEntropy(new SeededGenerator(3)));
        PriorityQueue<Action, long> happenings = new();
        byte[] buffer = new byte[2048];
        while (!survey.IsOver)
        {
            while (survey.TryPollTransmit(buffer, out SurveyTransmit transmit))
            {
                NetworkAddress from = nat.Out(now, Inside(transmit.Socket), transmit.Destination);
                byte[] datagram = buffer[..transmit.Length];
                if (isServerThere)
                    happenings.Enqueue(() => Ask(from, datagram), (now + s_way).Nanoseconds);
            }

            now = Instant.Min(survey.NextTimeout, happenings.TryPeek(out _, out long at) ? new Instant(at) : Instant.Never);
            while (happenings.TryPeek(out Action? happening, out at) && at <= now.Nanoseconds)
            {
                happenings.Dequeue();
                happening();
            }

            survey.HandleTimeout(now);
        }

        return (survey.Life, now - begun);

        void Ask(NetworkAddress from, byte[] datagram)
        {
            server.Handle(now, from, datagram);
            while (server.TryPollTransmit(buffer, out NetworkAddress destination, out int length))
            {
                byte[] answer = buffer[..length];
                happenings.Enqueue(() => Deliver(destination, answer), (now + s_way).Nanoseconds);
            }
        }

        void Deliver(NetworkAddress destination, byte[] answer)
        {
            if (nat.In(now, s_server, destination) is { } inside)
                survey.TryHandle(now, inside.Port - 5000, s_server, answer);
        }
    }

    private static NetworkAddress Inside(int socket) => Internet.Address($"10.0.0.2:{5000 + socket}");
}
