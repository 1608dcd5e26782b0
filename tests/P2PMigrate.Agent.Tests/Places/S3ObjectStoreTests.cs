using System.Net;
using System.Security.Cryptography;
using System.Text;
using P2PMigrate.Agent.Places;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Tests.Places;

[Collection("Ceph")]
public sealed class S3ObjectStoreTests(CephServer server)
{
    private const string Pack = "web/content/00000000000000000000000000000001";

    [Fact]
    [Trait("Spec", "DEP-42")]
    public async Task An_object_is_created_once_read_back_listed_and_removed()
    {
        using var store = new S3ObjectStore(await server.MakeBucketAsync());
        byte[] content = RandomNumberGenerator.GetBytes(100_000);
        Assert.Null(await store.TryReadAsync(Pack, default));
        Assert.True(await store.TryCreateAsync(Pack, content, default));
        Assert.False(await store.TryCreateAsync(Pack, new byte[1], default));
        Assert.Equal(content, await store.TryReadAsync(Pack, default));
        Assert.Equal([Pack], await store.ListAsync("", default));
        Assert.Empty(await store.ListAsync("web/dump/", default));
        await store.DeleteAsync(Pack, default);
        await store.DeleteAsync(Pack, default);
        Assert.Null(await store.TryReadAsync(Pack, default));
        Assert.True(await store.TryCreateAsync(Pack, default, default));
        Assert.Empty((await store.TryReadAsync(Pack, default))!);
    }

    [Fact]
    [Trait("Spec", "DEP-42")]
    public async Task Of_eight_that_create_one_name_at_once_exactly_one_is_told_so()
    {
        S3Location location = await server.MakeBucketAsync();
        S3ObjectStore[] stores = [.. Enumerable.Range(0, 8).Select(_ => new S3ObjectStore(location))];
        for (int round = 0; round < 10; round++)
        {
            string name = $"web/claim/{round}";
            bool[] told = await Task.WhenAll(stores.Select((store, number) => Task.Run(() => store.TryCreateAsync(name, new[] { (byte)number }, default))));
            Assert.Single(told, won => won);
            Assert.Equal([(byte)Array.IndexOf(told, true)], (await stores[0].TryReadAsync(name, default))!);
        }

        foreach (S3ObjectStore store in stores)
            store.Dispose();
    }

    [Fact]
    [Trait("Spec", "DEP-01")]
    public async Task The_longest_object_goes_through_and_a_longer_one_does_not()
    {
        using var store = new S3ObjectStore(await server.MakeBucketAsync());
        byte[] longest = RandomNumberGenerator.GetBytes(DepotLimits.MaxObjectLength);
        Assert.True(await store.TryCreateAsync(Pack, longest, default));
        Assert.False(await store.TryCreateAsync(Pack, longest, default));
        Assert.Equal(longest, await store.TryReadAsync(Pack, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.TryCreateAsync(Pack, new byte[longest.Length + 1], default));
    }

    [Fact]
    [Trait("Spec", "DEP-40")]
    public async Task Names_with_all_that_a_containers_name_may_have_come_back_as_they_were()
    {
        using var store = new S3ObjectStore(await server.MakeBucketAsync("a b/ä+"));
        string[] names = ["A_b.c+d-e/content/1", "a+b/claim/1", "web/dump/1/00000000"];
        foreach (string name in names.Reverse())
        {
            Assert.True(await store.TryCreateAsync(name, Encoding.UTF8.GetBytes(name), default));
            Assert.Equal(name, Encoding.UTF8.GetString((await store.TryReadAsync(name, default))!));
        }

        Assert.Equal(names, await store.ListAsync("", default));
        Assert.Equal([names[1]], await store.ListAsync("a+b/", default));
    }

    [Fact]
    public async Task A_list_of_more_than_one_page_is_whole_and_in_order()
    {
        S3Location location = await server.MakeBucketAsync();
        using var store = new S3ObjectStore(location);
        string[] names = [.. Enumerable.Range(0, 1_100).Select(number => $"web/content/{number:d5}")];
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (name, cancel) => Assert.True(await store.TryCreateAsync(name, new byte[1], cancel)));
        Assert.Equal(names, await store.ListAsync("web/", default));
        using var neighbour = new S3ObjectStore(location with { Prefix = "mov" });
        Assert.Equal(names.Length, (await neighbour.ListAsync("", default)).Count);
    }

    [Fact]
    [Trait("Spec", "DEP-43")]
    public async Task Who_created_what_is_known_though_the_answer_was_lost()
    {
        S3Location location = await server.MakeBucketAsync();
        await using var link = new LossyLink(server.Endpoint);
        using var store = new S3ObjectStore(location with { Endpoint = link.Endpoint }, new HurriedTime());
        Assert.True(await store.TryCreateAsync("web/claim/0", "first"u8.ToArray(), default));

        link.LosesAnswers = 1;
        Assert.True(await store.TryCreateAsync("web/claim/1", "source"u8.ToArray(), default));
        Assert.Equal(0, link.LosesAnswers);

        link.LosesAnswers = 1;
        Assert.False(await store.TryCreateAsync("web/claim/0", "first"u8.ToArray(), default));

        link.LosesAnswers = S3Client.Attempts;
        Assert.True(await store.TryCreateAsync("web/claim/2", "source"u8.ToArray(), default));

        link.LosesAnswers = 2;
        Assert.Equal("first"u8.ToArray(), await store.TryReadAsync("web/claim/0", default));
        link.LosesAnswers = 2;
        Assert.Equal(3, (await store.ListAsync("web/", default)).Count);
    }

    [Fact]
    [Trait("Spec", "DEP-43")]
    public async Task A_creation_about_which_nothing_can_be_learned_is_a_failure_and_not_a_no()
    {
        S3Location location = await server.MakeBucketAsync();
        await using var link = new LossyLink(server.Endpoint);
        using var store = new S3ObjectStore(location with { Endpoint = link.Endpoint }, new HurriedTime());
        await store.TryCreateAsync("web/claim/0", new byte[1], default);
        link.LosesAnswers = 1000;
        await Assert.ThrowsAsync<IOException>(() => store.TryCreateAsync("web/claim/1", new byte[1], default));
    }

    [Fact]
    [Trait("Spec", "DEP-44")]
    public async Task Every_refusal_says_what_to_do()
    {
        S3Location good = await server.MakeBucketAsync();
        await RefusedAsync(good with { Bucket = "no-such-bucket" }, "There is no bucket no-such-bucket at ", "Make it first");
        await RefusedAsync(good with { Credentials = new S3Credentials("nobody", "testsecret", null) }, "does not know the access key nobody", "AWS_ACCESS_KEY_ID");
        await RefusedAsync(good with { Credentials = new S3Credentials("testaccess", "wrong", null) }, "the secret is not that of", "AWS_SECRET_ACCESS_KEY");
        await RefusedAsync(good with { Endpoint = new Uri("http://127.0.0.1:9") }, "cannot be reached", "AWS_ENDPOINT_URL");
        await RefusedAsync(good with { Endpoint = new Uri("http://no-such-host.invalid") }, "cannot be reached", "AWS_ENDPOINT_URL");
    }

    [Fact]
    [Trait("Spec", "DEP-42")]
    public async Task A_server_that_knows_no_conditional_put_is_found_out_and_nothing_is_written_to_it()
    {
        foreach (HttpStatusCode toEveryPut in new[] { HttpStatusCode.OK, HttpStatusCode.NotImplemented })
        {
            await using var forgetful = new ForgetfulServer(toEveryPut);
            S3Location location = S3Location.Of("s3://bucket/moves", CephServer.EnvironmentOf(forgetful.Endpoint).GetValueOrDefault);
            using var store = new S3ObjectStore(location);
            IOException refused = await Assert.ThrowsAsync<IOException>(() => store.TryCreateAsync("web/claim/1", new byte[1], default));
            Assert.Contains("does not know conditional puts", refused.Message);
            await Assert.ThrowsAsync<IOException>(() => store.TryCreateAsync("web/claim/1", new byte[1], default));
            Assert.All(forgetful.Puts, path => Assert.StartsWith("/bucket/moves/.probe-", path));
        }
    }

    [Fact]
    [Trait("Spec", "DEP-43")]
    public async Task A_server_that_is_busy_is_asked_again()
    {
        await using var busy = new ForgetfulServer(HttpStatusCode.OK) { BusyAnswers = S3Client.Attempts - 1 };
        using var store = new S3ObjectStore(S3Location.Of("s3://bucket", CephServer.EnvironmentOf(busy.Endpoint).GetValueOrDefault), new HurriedTime());
        Assert.NotNull(await store.TryReadAsync("web/x", default));
        busy.BusyAnswers = S3Client.Attempts;
        Assert.Contains("answered 503", (await Assert.ThrowsAsync<IOException>(() => store.TryReadAsync("web/x", default))).Message);
    }

    [Fact]
    public async Task An_answer_that_ends_too_early_is_asked_for_again_and_no_part_of_it_is_taken()
    {
        S3Location location = await server.MakeBucketAsync();
        await using var link = new LossyLink(server.Endpoint);
        using var store = new S3ObjectStore(location with { Endpoint = link.Endpoint }, new HurriedTime());
        byte[] content = RandomNumberGenerator.GetBytes(1000);
        Assert.True(await store.TryCreateAsync(Pack, content, default));
        (link.CutsInside, link.LosesAnswers) = (true, 2);
        Assert.Equal(content, await store.TryReadAsync(Pack, default));
        Assert.Equal(0, link.LosesAnswers);
        link.LosesAnswers = 1000;
        await Assert.ThrowsAsync<IOException>(() => store.TryReadAsync(Pack, default));
        await Assert.ThrowsAsync<IOException>(() => store.ListAsync("", default));
    }

    [Fact]
    public async Task That_something_is_not_there_is_believed_in_S3s_own_word_only()
    {
        await using var other = new ForgetfulServer(HttpStatusCode.OK) { ToTheRest = HttpStatusCode.NotFound };
        using var store = new S3ObjectStore(S3Location.Of("s3://bucket", CephServer.EnvironmentOf(other.Endpoint).GetValueOrDefault), new HurriedTime());
        Assert.Contains("Is AWS_ENDPOINT_URL an S3 server's?", (await Assert.ThrowsAsync<IOException>(() => store.TryReadAsync("web/claim/1", default))).Message);
    }

    [Fact]
    [Trait("Spec", "DEP-44")]
    public async Task A_wrong_clock_is_called_that()
    {
        using var store = new S3ObjectStore(await server.MakeBucketAsync(), new HurriedTime(TimeSpan.FromHours(-1)));
        string message = (await Assert.ThrowsAsync<IOException>(() => store.TryReadAsync("web/x", default))).Message;
        Assert.EndsWith("refuses this machine's time. Set its clock.", message);
    }

    private static async Task RefusedAsync(S3Location location, params string[] words)
    {
        using var store = new S3ObjectStore(location, new HurriedTime());
        foreach (Func<Task> action in new Func<Task>[] { () => store.TryCreateAsync("web/x", new byte[1], default), () => store.ListAsync("", default), () => store.TryReadAsync("web/x", default) })
        {
            string message = (await Assert.ThrowsAsync<IOException>(action)).Message;
            Assert.All(words, word => Assert.Contains(word, message));
            Assert.DoesNotContain("testsecret", message);
        }
    }
}
